import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readRequests, writeRequests } from '../../bench/load/request-file.ts';

async function temporaryFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'plait-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'requests');
}

it('keeps requests as lines that any load generator can read', async () => {
  const file = await temporaryFile();
  const requests = [
    { path: '/orders/ord_1?limit=2', headers: {} },
    { path: '/orders/ord_2', headers: { authorization: 'Bearer a: b', 'if-none-match': '"x"' } },
  ];
  await writeRequests(file, requests);
  expect(await readFile(file, 'utf8')).toBe(
    '/orders/ord_1?limit=2\n/orders/ord_2\tauthorization: Bearer a: b\tif-none-match: "x"\n',
  );
  expect(await readRequests(file)).toEqual(requests);
});

it('keeps a body of JSON, which makes a request a POST', async () => {
  const file = await temporaryFile();
  const body = JSON.stringify({ query: '{\n\torder(id: "1") { id }\n}' });
  const requests = [{ path: '/graphql', headers: { accept: 'application/json' }, body }];
  await writeRequests(file, requests);
  expect(await readFile(file, 'utf8')).toBe(`/graphql\taccept: application/json\t${body}\n`);
  expect(await readRequests(file)).toEqual(requests);
});
