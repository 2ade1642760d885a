import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readRequests, writeRequests } from '../../bench/load/request-file.ts';

it('keeps requests as lines that any load generator can read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plait-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'requests');
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
