import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { run } from '../support/processes.ts';

const payment = { type: 'object', required: ['id'], properties: { id: { type: 'string' } } };
const document = {
  openapi: '3.1.0',
  info: { title: 'Ledger', version: '2.0' },
  components: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-api-key' } } },
  security: [{ key: [] }],
  paths: {
    '/payments': {
      get: {
        operationId: 'listPayments',
        parameters: [
          {
            in: 'query',
            name: 'ids',
            required: true,
            schema: { type: 'array', items: { type: 'string' } },
          },
          { in: 'cookie', name: 'theme', schema: {} },
        ],
        responses: {
          200: { content: { 'application/json': { schema: { type: 'array', items: payment } } } },
        },
      },
      post: {
        operationId: 'makePayment',
        responses: {
          201: {
            content: { 'application/json': { schema: payment } },
            headers: { Location: { schema: { type: 'string' } } },
          },
        },
      },
    },
  },
};

async function documentFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plait-openapi-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = join(folder, 'ledger.json');
  await writeFile(path, JSON.stringify(document));
  return path;
}

async function newService(...args: readonly string[]) {
  const program = run('bin/plait.js', ['new', 'service', ...args], {});
  const code = await program.exitCode;
  return { code, out: program.lines.join('\n'), errors: program.errors() };
}

describe('plait new service', () => {
  it('writes a service that compositions can use, says what is missing, and overwrites nothing', async () => {
    const folder = await folderWith({
      'paid.ts': `
        import { call, defineComposition } from 'plait';
        import { listPayments } from './upstreams/ledger.ts';
        export default defineComposition({
          route: 'GET /paid/:id',
          compose: ({ params }) => ({ payment: call(listPayments, { id: params.id }) }),
        });`,
    });
    const args = ['ledger', '--from-openapi', await documentFile(), '--compositions', folder];
    const first = await newService(...args);
    const path = join(folder, 'upstreams/ledger.ts');
    expect([first.code, first.errors]).toEqual([0, '']);
    expect(first.out).toContain(`${path}: 1 operation, 1 lookup`);
    expect(first.out).toContain(
      'Set LEDGER_URL to the address of the service. Its credentials are in LEDGER_KEY.\n',
    );
    expect(first.out).toContain(
      '#/paths/~1payments/get/parameters/1: parameter "theme" is left out: only forward',
    );
    expect(first.out).toContain(
      '  response: { headers }\n    makes these part of the value (location): makePayment',
    );
    const written = await readFile(path, 'utf8');
    expect(written).toContain('export const listPayments = lookup(ledger, {');

    const check = run('bin/plait.js', ['check', '--compositions', folder], {});
    expect([await check.exitCode, check.errors()]).toEqual([0, '']);
    expect(check.lines.join('\n')).toContain('GET /paid/:id  (paid)');

    const second = await newService(...args);
    expect([second.code, second.errors]).toEqual([
      1,
      `${path} exists, and nothing is overwritten. Move it away, or choose another name.\n`,
    ]);
    expect(await readFile(path, 'utf8')).toBe(written);
  });

  it.each([
    [
      ['Ledger', '--from-openapi', 'a.json'],
      /^"Ledger" is not a valid name of a service\. Use lower-case/,
    ],
    [['ledger'], /^plait new service ledger needs a document: --from-openapi openapi\.json\n$/],
    [
      ['ledger', '--from-openapi', '/no/such.json'],
      /^\/no\/such\.json cannot be read \(ENOENT\)\.\n$/,
    ],
  ])('refuses %j', async (args, message) => {
    const { code, errors } = await newService(...args);
    expect(errors).toMatch(message);
    expect(code).toBe(1);
  });
});
