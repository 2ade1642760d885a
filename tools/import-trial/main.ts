/**
 * Imports public OpenAPI documents from packages of npm, type-checks and checks the files, and calls
 * reads and writes of each through a gateway, with random bodies, against stubs that answer random
 * values of their schemas.
 *
 *   node tools/import-trial/main.ts [--calls 5]
 *
 * It ends with code 1 when something fails.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text as readText } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { documents } from './documents.ts';
import type { TrialDocument } from './documents.ts';
import { endpointsOf } from './endpoints.ts';
import type { TrialEndpoint } from './endpoints.ts';
import { isObject, valuesOf } from './values.ts';
import type { Json } from './values.ts';

const { values: options } = parseArgs({ options: { calls: { type: 'string', default: '5' } } });
const root = join(import.meta.dirname, '../..');
const folder = await mkdtemp(join(tmpdir(), 'plait-import-'));
const upstreams = join(folder, 'compositions/upstreams');

interface Trial {
  readonly service: string;
  readonly source: string;
  readonly document: Json;
  /** The file that was written. */
  readonly text: string;
  readonly endpoints: readonly TrialCall[];
}

interface TrialCall extends TrialEndpoint {
  /** The body that is sent. */
  readonly sent: unknown;
}

async function prepare(): Promise<void> {
  await mkdir(upstreams, { recursive: true });
  const parts = ['src', 'node_modules', 'bin'];
  await Promise.all(parts.map((part) => symlink(join(root, part), join(folder, part))));
  await cp(join(root, 'package.json'), join(folder, 'package.json'));
  const extended = { extends: join(root, 'tsconfig.json'), include: ['compositions'] };
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(extended));
}

function run(program: string, args: readonly string[], cwd = folder): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

async function importOne({ service, package: name, path }: TrialDocument): Promise<Trial> {
  const packed = join(folder, `${service}.package`);
  await mkdir(packed);
  const archive = run('npm', ['pack', '--silent', name], packed).trim();
  run('tar', ['xzf', archive], packed);
  const file = join(packed, 'package', path);
  const said = run(process.execPath, [
    'bin/plait.js',
    'new',
    'service',
    service,
    '--from-openapi',
    file,
  ]);
  const text = await readFile(join(upstreams, `${service}.ts`), 'utf8');
  const source = await readFile(file, 'utf8');
  const document: Json = parse(source);
  const written = endpointsOf(document).filter((one) => nameOf(text, one) !== undefined);
  const [line = ''] = said.split('\n');
  const findings = said.split('\n').filter((one) => one.startsWith('  #')).length;
  const counts = line.slice(line.indexOf(': ') + 2);
  console.log(`${name}: ${counts}, ${findings} not carried over, ${text.split('\n').length} lines`);
  const [reads = [], writes = []] = [true, false].map((isRead) =>
    written.filter(({ method }) => (method === 'GET') === isRead).slice(0, Number(options.calls)),
  );
  const endpoints = [...reads, ...writes].map((endpoint): TrialCall => ({
    ...endpoint,
    sent: fc.sample(valuesOf(endpoint.body ?? true, document), 1)[0],
  }));
  return { service, source: name, document, text, endpoints };
}

/** The name of the operation for an endpoint of the document. */
function nameOf(text: string, { method, path }: TrialEndpoint): string | undefined {
  const route = path.replaceAll(/\{([^}]*)\}/g, ':$1');
  const pattern = new RegExp(
    `= operation\\(\\w+, \\{\\s*name: '(\\w+)',\\s*route:\\s*'${method} ${RegExp.escape(route)}'`,
  );
  return pattern.exec(text)?.[1];
}

/** A composition for each endpoint that is called. */
async function compose({ service, text, endpoints }: Trial): Promise<void> {
  await mkdir(join(folder, 'compositions', service));
  await Promise.all(
    endpoints.map((endpoint, index) => {
      const { method, path, sent } = endpoint;
      const name = nameOf(text, endpoint) ?? '';
      const names = [...path.matchAll(/\{([^}]*)\}/g)].map(([, one = '']) => one);
      const params = Object.fromEntries(names.map((one) => [one, '1']));
      // A random body has fields that its schema does not name.
      const args =
        method === 'GET'
          ? JSON.stringify(params)
          : `${JSON.stringify({ ...params, body: sent })} as never`;
      const composition = `import { call, defineComposition } from 'plait';
import { ${name} } from '../upstreams/${service}.ts';
export default defineComposition({
  route: '${method} /${service}/${index}',
  compose: () => ({ value: call(${name}, ${args}) }),
});
`;
      return writeFile(join(folder, 'compositions', service, `call-${index}.ts`), composition);
    }),
  );
}

/**
 * A service that answers random values of the schemas, and refuses a body with anything that was
 * not sent; the variables that lead to it.
 */
async function stub({ document, text, endpoints }: Trial): Promise<Record<string, string>> {
  const server = createServer(async (request, response) => {
    const body = await readText(request);
    const found = endpoints.find(
      ({ method, target }) => method === request.method && target === request.url,
    );
    const isRight = found?.method === 'GET' || isPart(body && JSON.parse(body), found?.sent);
    const status = found === undefined ? 404 : isRight ? found.status : 422;
    response.writeHead(status, { 'content-type': 'application/json' });
    if (found?.schema === undefined) return void response.end();
    const [value] = fc.sample(valuesOf(found.schema, document), 1);
    response.end(JSON.stringify(value));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();
  const { port } = server.address() as AddressInfo; // it listens on TCP
  const variables = [...text.matchAll(/env: '(\w+)'/g)].map(([, name = '']) => name);
  return Object.fromEntries(
    variables.map((name) => [name, name.endsWith('_URL') ? `http://127.0.0.1:${port}` : 'trial']),
  );
}

/** Whether a value is another one, or that without some fields, as those that are only read. */
function isPart(value: unknown, whole: unknown): boolean {
  if (Array.isArray(value))
    return (
      Array.isArray(whole) &&
      value.length === whole.length &&
      value.every((item, index) => isPart(item, whole[index]))
    );
  if (!isObject(value)) return value === whole;
  return (
    isObject(whole) && Object.entries(value).every(([name, field]) => isPart(field, whole[name]))
  );
}

async function start(environment: Record<string, string>) {
  const gateway = spawn(process.execPath, ['bin/plait.js', 'start'], {
    cwd: folder,
    env: { ...process.env, ...environment, PORT: '0', ADMIN_PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: gateway.stdout });
  const url = await new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      if (line.startsWith('ready ')) resolve(line.slice('ready '.length));
    });
    gateway.once('exit', () => reject(new Error('The gateway has ended.')));
  });
  return { url, stop: () => gateway.kill() };
}

async function callAll(url: string, { service, source, endpoints }: Trial): Promise<boolean> {
  const answers: { readonly endpoint: string; readonly status: number }[] = [];
  // One after the other, since the gateway sheds load while making up values keeps the machine busy.
  for (const [index, { method, path }] of endpoints.entries()) {
    const signal = AbortSignal.timeout(10_000);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const { status } = await fetch(`${url}/${service}/${index}`, { method, signal });
    answers.push({ endpoint: `${method} ${path}`, status });
  }
  const failed = answers.filter(({ status }) => status !== 200);
  console.log(`${source}: ${answers.length - failed.length} of ${answers.length} calls succeed`);
  for (const { endpoint, status } of failed) console.log(`  ${endpoint}: ${status}`);
  return failed.length === 0 && answers.length > 0;
}

try {
  await prepare();
  const trials = await Promise.all(documents.map(importOne));
  run(join(root, 'node_modules/.bin/oxlint'), ['compositions']);
  await Promise.all(trials.map(compose));
  run(join(root, 'node_modules/.bin/tsc'), ['--noEmit']);
  console.log('tsc: no errors');
  console.log(
    `plait check: ${run(process.execPath, ['bin/plait.js', 'check']).trim().split('\n').at(-1)}`,
  );
  const environments = await Promise.all(trials.map(stub));
  const gateway = await start(Object.assign({}, ...environments));
  const calls = Promise.all(trials.map((trial) => callAll(gateway.url, trial)));
  const results = await calls.finally(gateway.stop);
  if (results.includes(false)) process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true });
}
