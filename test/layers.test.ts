import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');

/** From the top down: a file imports from its own layer or from one before it. */
const layers = [
  [
    'base-path.ts',
    'bearer.ts',
    'bytes.ts',
    'charset.ts',
    'clock.ts',
    'cookie.ts',
    'content-coding.ts',
    'environment.ts',
    'defined-at.ts',
    'errors.ts',
    'exact-number.ts',
    'form.ts',
    'frozen.ts',
    'header-value.ts',
    'headers.ts',
    'http-date.ts',
    'in-reverse.ts',
    'json-numbers.ts',
    'json-value.ts',
    'json.ts',
    'limit.ts',
    'lru.ts',
    'network.ts',
    'number-literal.ts',
    'once-per-schema.ts',
    'own-signal.ts',
    'parse.ts',
    'path-segment.ts',
    'plain-object.ts',
    'quiet.ts',
    'redis-link.ts',
    'redis.ts',
    'request-timeout.ts',
    'reserved-paths.ts',
    'schema-intersection.ts',
    'schema-merge.ts',
    'schema-numbers.ts',
    'schema-parts.ts',
    'schema-places.ts',
    'schema-record.ts',
    'schema-stop.ts',
    'schema-traits.ts',
    'schema.ts',
    'shown-value.ts',
    'signal.ts',
    'tally.ts',
    'version.ts',
    'text-bounds.ts',
    'text-fit.ts',
    'text-form.ts',
    'trace.ts',
    'trim-blanks.ts',
    'under-way.ts',
    'url.ts',
    'utf8.ts',
    'xml.ts',
  ],
  ['dsl'],
  ['import'],
  ['plan'],
  ['explain'],
  ['upstream'],
  ['engine'],
  ['http'],
  ['edge'],
  ['telemetry'],
  ['settings'],
  [
    'composition-files.ts',
    'find-gateway.ts',
    'gateway-apps.ts',
    'gateway-options.ts',
    'gateway.ts',
    'listen.ts',
    'load-compositions.ts',
    'not-loaded.ts',
    'parts.ts',
    'read-source.ts',
  ],
  ['cli'],
];

/** `plait` and `plait/server`. */
const frontDoors = new Set(['index.ts', 'server.ts']);

/** The one file that may import a package at run time. */
const doors: Record<string, string> = {
  '@hono/node-server': 'http/server.ts',
  undici: 'upstream/exchange/address.ts',
  dataloader: 'upstream/sharing/batch.ts',
  'p-limit': 'limit.ts',
  'rate-limiter-flexible': 'edge/limits/redis-limits.ts',
  'lru-cache': 'lru.ts',
  ioredis: 'redis.ts',
  acorn: 'plan/source/parse.ts',
  'secure-json-parse': 'json.ts',
  '@opentelemetry/sdk-node': 'telemetry/sdk.ts',
  '@opentelemetry/sdk-metrics': 'telemetry/metrics-provider.ts',
  '@opentelemetry/exporter-prometheus': 'telemetry/metrics-provider.ts',
  jose: 'edge/identity/jose.ts',
  pino: 'telemetry/log.ts',
  citty: 'cli/command.ts',
  yaml: 'import/yaml.ts',
};

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
}

const imports = filesIn(source).flatMap(importsOf);

describe('the layers', () => {
  it('import in one direction', () => {
    const violations = imports
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, target }) => ({
        file,
        to: relative(source, join(source, dirname(file), target)),
      }))
      .filter(({ file, to }) => !mayImport(file, to));
    expect(violations).toEqual([]);
  });

  it('has no circle of imports, those of types included', () => {
    expect(circlesIn(importsByFile())).toEqual([]);
  });

  it('knows every folder of src', () => {
    const homeless = filesIn(source).filter(
      (file) => !frontDoors.has(file) && layerOf(file) === -1,
    );
    expect(homeless).toEqual([]);
  });

  it.each(Object.entries(doors))('lets %s in through %s only', (name, door) => {
    const users = imports.filter(({ target, typeOnly }) => !typeOnly && isPackage(target, name));
    expect([...new Set(users.map(({ file }) => file))]).toEqual([door]);
  });

  it('lets hono in where apps and routes are made', () => {
    const users = imports.filter(({ target, typeOnly }) => !typeOnly && isPackage(target, 'hono'));
    expect([...new Set(users.map(({ file }) => file))].toSorted()).toEqual([
      'edge/browsers.ts',
      'http/admin.ts',
      'http/app.ts',
      'http/endpoint.ts',
      'http/error-response.ts',
      'http/health.ts',
      'http/router.ts',
    ]);
  });

  it('lets src import only what is installed where Plait runs', () => {
    const manifest: { dependencies: object; peerDependencies: object } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const packages = imports
      .map(({ target }) => target)
      .filter((target) => !target.startsWith('.') && !target.startsWith('node:'))
      .map((target) =>
        target
          .split('/')
          .slice(0, target.startsWith('@') ? 2 : 1)
          .join('/'),
      );
    const installed = { ...manifest.dependencies, ...manifest.peerDependencies };
    expect(Object.keys(installed)).toEqual(expect.arrayContaining([...new Set(packages)]));
  });

  it('lets compositions import plait, zod and each other, nothing else', () => {
    const folder = join(root, 'compositions');
    const targets = filesIn(folder).flatMap((file) => importsOf(file, folder));
    for (const { file, target } of targets) {
      const inside =
        target.startsWith('.') &&
        !relative(folder, join(folder, dirname(file), target)).startsWith('..');
      expect(inside || target === 'plait' || target === 'zod', `${file} imports ${target}`).toBe(
        true,
      );
    }
  });

  it('let only the command line read the environment, once, and telemetry write to it', () => {
    const readers = filesIn(source).filter((file) => /process\.env/.test(textOf(file)));
    expect(readers.filter((file) => !file.startsWith('cli/'))).toEqual(['telemetry/sdk.ts']);
  });

  it('lets nothing in src import the mocks', () => {
    expect(imports.filter(({ target }) => target.includes('mocks/'))).toEqual([]);
  });
});

/** The files of `src` that each file of `src` imports, types included. */
function importsByFile(): ReadonlyMap<string, readonly string[]> {
  const inside = imports.filter(({ target }) => target.startsWith('.'));
  return new Map(
    filesIn(source).map((file) => [
      file,
      inside
        .filter((one) => one.file === file)
        .map(({ target }) => relative(source, join(source, dirname(file), target))),
    ]),
  );
}

/** Every circle that a walk from file to file finds, as `a.ts → b.ts → a.ts`. */
function circlesIn(importsOfFile: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  function walk(file: string, path: readonly string[]): void {
    const start = path.indexOf(file);
    if (start !== -1) circles.push([...path.slice(start), file].join(' → '));
    if (start !== -1 || done.has(file)) return;
    for (const next of importsOfFile.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  }
  for (const file of importsOfFile.keys()) walk(file, []);
  return circles;
}

/** The front doors hand out what others make, and nothing imports them. */
function mayImport(file: string, to: string): boolean {
  if (file === 'index.ts') return to.startsWith('dsl/');
  if (file === 'server.ts') return !to.startsWith('cli/');
  return !frontDoors.has(to) && layerOf(to) >= 0 && layerOf(to) <= layerOf(file);
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
}

function importsOf(file: string, folder: unknown = source): Import[] {
  const base = typeof folder === 'string' ? folder : source;
  const text = readFileSync(join(base, file), 'utf8');
  const pattern =
    /^(?:import|export)\s+(type\s+)?(?:[^'"]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(pattern)].map((match) => ({
    file,
    target: match[2] ?? match[3] ?? '',
    typeOnly: match[1] !== undefined,
  }));
}

function textOf(file: string): string {
  return readFileSync(join(source, file), 'utf8');
}

function layerOf(file: string): number {
  return layers.findIndex((names) =>
    names.some((name) => file === name || file.startsWith(`${name}/`)),
  );
}

function isPackage(target: string, name: string): boolean {
  return target === name || target.startsWith(`${name}/`);
}
