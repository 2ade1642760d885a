import { execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadCompositions } from '../src/load-compositions.ts';

type Files = Readonly<Record<string, string>>;

/** A folder of compositions in a project where `plait` resolves. */
async function folderOf(files: Files): Promise<string> {
  const root = join(import.meta.dirname, '..');
  const project = await mkdtemp(join(tmpdir(), 'plait-'));
  onTestFinished(() => rm(project, { recursive: true }));
  for (const part of ['src', 'node_modules']) await symlink(join(root, part), join(project, part));
  await cp(join(root, 'package.json'), join(project, 'package.json'));
  const folder = join(project, 'compositions');
  await mkdir(folder);
  for (const path of Object.keys(files))
    await mkdir(join(folder, dirname(path)), { recursive: true });
  for (const [path, text] of Object.entries(files)) await writeFile(join(folder, path), text);
  return folder;
}

interface Result {
  readonly names: readonly string[];
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

async function load(folder: string): Promise<Result> {
  const { plans, errors, warnings } = await loadCompositions(folder);
  return {
    names: plans.map(({ name }) => name),
    errors: errors.map(({ message }) => message),
    warnings,
  };
}

const at = (path: string): string => `
  import { defineComposition } from 'plait';
  export default defineComposition({ route: 'GET ${path}', compose: () => ({ ok: true }) });`;

const used = `import { value } from './lib/value.ts';
  import { defineComposition } from 'plait';
  export default defineComposition({ route: 'GET /used', compose: () => ({ value }) });`;

const shop = (url: string): string => `
  import { defineService, operation } from 'plait';
  import { z } from 'zod';
  const shop = defineService({ name: 'shop', url: 'http://${url}' });
  export const get = operation(shop, { name: 'get', route: 'GET /${url}', response: z.any() });`;

const page = (name: string): string => `
  import { call, defineComposition } from 'plait';
  import { get } from './upstreams/${name}.ts';
  export default defineComposition({
    route: 'GET /${name}',
    compose: () => ({ got: call(get, {}) }),
  });`;

const noExport = (path: string): string =>
  `${path}: this file has no default export, and no other file there imports it. For an endpoint, ` +
  'write `export default defineComposition({ … })`.';

const notLoaded = (path: string): string =>
  `${path}: this file is not loaded, and no file there imports it. Compositions and modules are ` +
  '.ts, .mts, .js and .mjs files.';

describe('the files of a folder of compositions', () => {
  it.each(['ts', 'mts', 'js', 'mjs'])(
    'are loaded at any depth when they end in .%s',
    async (ending) => {
      const folder = await folderOf({
        [`top.${ending}`]: at('/top'),
        [`shop/orders/summary.v2.${ending}`]: at('/summary'),
      });
      expect(await load(folder)).toEqual({
        names: ['shop/orders/summary.v2', 'top'],
        errors: [],
        warnings: [],
      });
    },
  );

  it.each<[string, Files]>([
    ['a declaration', { 'types.d.ts': 'export default 1;', 'types.d.mts': '' }],
    ['a test', { 'a.test.ts': 'throw 1;', 'lib/b.spec.mts': 'throw 1;', 'c.test.tsx': '' }],
    ['a hidden file', { '.draft.ts': 'throw 1;', '.git/hook.js': 'throw 1;' }],
    ['a package', { 'node_modules/x/index.js': 'throw 1;', 'package.json': '{"type":"module"}' }],
    ['a configuration', { 'tsconfig.build.json': '{}' }],
    ['prose', { 'README.md': '# Orders', 'orders.svg': '<svg/>' }],
  ])('say nothing of %s', async (_, files) => {
    const folder = await folderOf({ ...files, 'top.ts': at('/top') });
    expect(await load(folder)).toEqual({ names: ['top'], errors: [], warnings: [] });
  });

  it.each<[string, Files]>([
    ['imported', { 'used.ts': used }],
    [
      'imported for its types',
      { 'used.ts': `import type { A } from "./lib/value.ts";${at('/used')}` },
    ],
    ['passed on', { 'used.ts': `export { value } from './lib/value.ts';${at('/used')}` }],
    [
      'imported later',
      { 'used.ts': `${at('/used')}\nexport const v = () => import('./lib/value.ts');` },
    ],
    ['imported by a test', { 'used.ts': at('/used'), 'used.test.ts': `import './lib/value.ts';` }],
    [
      'read by its URL',
      { 'used.ts': `${at('/used')}\nnew URL('./lib/value.ts', import.meta.url);` },
    ],
  ])('have a module that is %s', async (_, files) => {
    const folder = await folderOf({ ...files, 'lib/value.ts': 'export const value = 1;' });
    expect(await load(folder)).toEqual({ names: ['used'], errors: [], warnings: [] });
  });

  it('run a module only where another file imports it', async () => {
    const folder = await folderOf({ 'top.ts': at('/top'), 'seed.ts': `throw new Error('ran');` });
    expect((await load(folder)).errors).toEqual([]);
  });

  it('may have a module whose default export is no composition', async () => {
    const folder = await folderOf({
      'lib/value.ts': 'export default 1;',
      'used.ts': used.replace('{ value }', 'value'),
    });
    expect(await load(folder)).toEqual({ names: ['used'], errors: [], warnings: [] });
  });

  it.each<[string, string, string]>([
    ['a module', 'lib/helpers.mts', noExport('lib/helpers.mts')],
    ['a .cts file', 'legacy.cts', notLoaded('legacy.cts')],
    ['a .cjs file', 'legacy.cjs', notLoaded('legacy.cjs')],
    ['a .tsx file', 'lib/page.tsx', notLoaded('lib/page.tsx')],
    ['a .json file', 'rates.json', notLoaded('rates.json')],
    ['an ending in upper case', 'orders.TS', notLoaded('orders.TS')],
  ])('are warned of by name: %s that no other file imports', async (_, path, warning) => {
    const folder = await folderOf({ 'top.ts': at('/top'), [path]: 'switch (1) { default: }' });
    expect(await load(folder)).toEqual({ names: ['top'], errors: [], warnings: [warning] });
  });

  it('may import data', async () => {
    const folder = await folderOf({
      'rates.json': '{ "eur": 1 }',
      'top.ts': `import rates from './rates.json' with { type: 'json' };void rates;${at('/top')}`,
    });
    expect(await load(folder)).toEqual({ names: ['top'], errors: [], warnings: [] });
  });
});

describe('mistakes in a folder of compositions', () => {
  it('is an error when it has none', async () => {
    const folder = await folderOf({ 'lib/helpers.ts': 'export const value = 1;' });
    expect((await load(folder)).errors).toEqual([
      `${folder}: this folder has no composition. Write a file there with \`export default defineComposition({ … })\`.`,
    ]);
  });

  it('says that two files of one name are in each other’s way', async () => {
    const folder = await folderOf({ 'a/b.ts': at('/1'), 'a/b.mts': at('/2'), 'c.ts': at('/3') });
    expect(await load(folder)).toMatchObject({
      names: ['c'],
      errors: [
        `a/b: ${folder}/a/b.mts and ${folder}/a/b.ts have the same name. Rename one of them.`,
      ],
    });
  });

  it.each<[string, (folder: string) => Promise<unknown>, string]>([
    [
      'a folder with the name of a file',
      (folder) => mkdir(join(folder, 'orders.ts')),
      'orders.ts: this is a folder, although its name ends like that of a file. Rename it.',
    ],
    [
      'a link to nothing',
      (folder) => symlink('gone.ts', join(folder, 'link.ts')),
      'link.ts: this is a link to a file that does not exist. Remove it, or mend where it leads.',
    ],
    [
      'a link to itself',
      (folder) => symlink('link.ts', join(folder, 'link.ts')),
      'link.ts: this cannot be read: ELOOP: ',
    ],
    [
      'a link to a file that is there',
      (folder) => symlink('top.ts', join(folder, 'a-link.ts')),
      'a-link.ts: this is the same as top.ts. Remove the link.',
    ],
    [
      'a link to the folder around it',
      (folder) => symlink('..', join(folder, 'lib/around')),
      'lib/around: this is the same as the folder around it. Remove the link.',
    ],
    [
      'a pipe',
      async (folder) => execFileSync('mkfifo', [join(folder, 'pipe.ts')]),
      'pipe.ts: this is neither a file nor a folder. Remove it.',
    ],
  ])('names %s', async (_, make, message) => {
    const folder = await folderOf({ 'top.ts': at('/top'), 'lib/value.ts': '' });
    await make(folder);
    const { names, errors } = await load(folder);
    expect(names).toEqual(['top']);
    expect(errors).toEqual([expect.stringContaining(message)]);
  });

  it('follows links to files and folders elsewhere', async () => {
    const elsewhere = await folderOf({ 'one.ts': at('/one'), 'more/two.ts': at('/two') });
    const folder = await folderOf({});
    await symlink(join(elsewhere, 'one.ts'), join(folder, 'one.ts'));
    await symlink(join(elsewhere, 'more'), join(folder, 'more'));
    expect((await load(folder)).names).toEqual(['more/two', 'one']);
  });

  it('reports a module that fails once, and the files that import it', async () => {
    const folder = await folderOf({
      'lib/value.ts': `export default 1;\nthrow new Error('broken');`,
      'used.ts': used.replace('{ value }', 'value'),
      'other.ts': used.replace('{ value }', 'value').replace('/used', '/other'),
      'top.ts': at('/top'),
    });
    expect(await load(folder)).toMatchObject({
      names: ['top'],
      errors: [
        expect.stringMatching(
          /^other: the file cannot be imported: broken So not loaded either: used\..*value\.ts:2/,
        ),
      ],
    });
  });

  it('says what a declaration that cannot be used is, and not that a file is', async () => {
    const text = at('/top').replace('defineComposition({', 'defineComposition({ body: 5,');
    const { errors } = await load(await folderOf({ 'top.ts': text }));
    expect(errors).toEqual([expect.stringMatching(/^top: (?!the file)/)]);
  });
});

describe('files that collide', () => {
  it.each<[string, Files, Files, string]>([
    [
      'one route',
      { 'old.ts': at('/x') },
      { 'new/a.ts': at('/x') },
      'is also served by FOLDER/old.ts.',
    ],
    [
      'one service',
      { 'old.ts': page('old'), 'upstreams/old.ts': shop('old') },
      { 'new.ts': page('new'), 'upstreams/new.ts': shop('new') },
      'is defined twice, in FOLDER/upstreams/new.ts:4 and FOLDER/upstreams/old.ts:4.',
    ],
    [
      'one name',
      { 'old.ts': at('/x') },
      { 'old.mjs': at('/y') },
      'FOLDER/old.mjs and FOLDER/old.ts',
    ],
  ])(
    'leave what is running alone, and name the files of both: %s',
    async (_, old, fresh, words) => {
      const before = await folderOf(old);
      const { claims } = await loadCompositions(before);
      for (const path of Object.keys(fresh)) {
        await mkdir(join(before, dirname(path)), { recursive: true });
        await writeFile(join(before, path), fresh[path] ?? '');
      }
      const { plans, errors } = await loadCompositions(before, { running: claims });
      expect(plans.map(({ name }) => name)).toEqual(['old']);
      const shown = errors.map(({ message }) =>
        message.replaceAll(relative(process.cwd(), before), 'FOLDER').replaceAll(before, 'FOLDER'),
      );
      expect(shown).toEqual([expect.stringContaining(words)]);

      const all = await loadCompositions(before);
      expect(all.plans).toEqual([]);
    },
  );
});

describe('the definition of the gateway', () => {
  const gateway = `import { defineGateway } from 'plait';
    export default defineGateway({ cors: { origins: ['https://app.example.com'] } });`;

  it('is the default export of gateway.ts, and no endpoint', async () => {
    const folder = await folderOf({ 'gateway.ts': gateway, 'a.ts': at('/a') });
    const { plans, errors, warnings, definition } = await loadCompositions(folder);
    expect([plans.map(({ name }) => name), errors, warnings]).toEqual([['a'], [], []]);
    expect(definition.cors?.origins).toEqual(['https://app.example.com']);
  });

  it('is the default without that file', async () => {
    const { definition } = await loadCompositions(await folderOf({ 'a.ts': at('/a') }));
    expect(definition).toMatchObject({ cors: undefined, securityHeaders: true, middleware: [] });
  });

  const guarded = `import { defineGateway, verifyJwt } from 'plait';
    const keys = { file: '/etc/jwks.json' };
    export const customers = verifyJwt({ issuer: 'https://id', audience: 'shop', keys });
    export default defineGateway({ authenticators: [customers] });`;
  const withAuth = `import { defineComposition } from 'plait';
    import { customers } from './gateway.ts';
    export default defineComposition({ route: 'GET /b', auth: customers, compose: () => ({}) });`;

  it('with authenticators keeps what has no auth from being served', async () => {
    const folder = await folderOf({ 'gateway.ts': guarded, 'a.ts': at('/a'), 'b.ts': withAuth });
    const { names, errors } = await load(folder);
    expect(names).toEqual(['b']);
    expect(errors).toEqual([expect.stringContaining('a: auth is missing, but gateway.ts has')]);
  });

  it.each([
    ['cannot be imported', { 'gateway.ts': 'export default nothing;' }, 'cannot be imported'],
    ['exports something else', { 'gateway.ts': 'export default {};' }, 'exports no gateway.'],
    [
      'exports it by another name',
      { 'gateway.ts': gateway.replace('default', 'const gateway =') },
      'exports no gateway. Write `export default defineGateway({ … })`.',
    ],
    [
      'is used as a module only',
      {
        'gateway.ts': `${guarded}`.replace('export default', 'export const gateway ='),
        'b.ts': withAuth,
      },
      'exports no gateway.',
    ],
    [
      'is there twice',
      { 'gateway.ts': gateway, 'gateway.mts': guarded },
      'both define the gateway',
    ],
  ])('that %s has nothing served, since nobody knows who may ask', async (_, files, message) => {
    const { names, errors } = await load(await folderOf({ ...files, 'a.ts': at('/a') }));
    expect(names).toEqual([]);
    expect(errors).toEqual([expect.stringContaining(message)]);
  });

  it.each(['edge.ts', 'lib/gateway.ts', 'Gateway.ts'])(
    'is an error in %s, and nothing is served',
    async (path) => {
      const { names, errors } = await load(await folderOf({ [path]: gateway, 'a.ts': at('/a') }));
      expect(names).toEqual([]);
      expect(errors).toEqual([
        expect.stringContaining('defineGateway() is for gateway.ts in the folder itself.'),
      ]);
    },
  );

  it.each(['gateway.cts', 'gateway.tsx', 'gateway.TS'])(
    'is not loaded from %s, and nothing is served',
    async (path) => {
      const { names, errors } = await load(await folderOf({ [path]: gateway, 'a.ts': at('/a') }));
      expect(names).toEqual([]);
      expect(errors).toEqual([`${path}: this file is not loaded. Rename it to gateway.ts.`]);
    },
  );

  it('that is a link to nowhere has nothing served', async () => {
    const folder = await folderOf({ 'a.ts': at('/a') });
    await symlink('none.ts', join(folder, 'gateway.ts'));
    const { names, errors } = await load(folder);
    expect(names).toEqual([]);
    expect(errors).toEqual([expect.stringContaining('gateway.ts: this is a link to a file')]);
  });
});
