/** Files of a service, through a whole gateway: as they are, or as the body of another call. */
import {
  answer,
  bytes,
  call,
  defineComposition,
  defineService,
  given,
  multipart,
  operation,
  optional,
} from 'plait';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';
import { startServer } from '../support/servers.ts';

const files = defineService({ name: 'files', url: { env: 'FILES_URL' }, retry: false });
const getFile = operation(files, { name: 'getFile', route: 'GET /files/:id', response: bytes() });
const getParts = operation(files, {
  name: 'getParts',
  route: 'GET /files/:id',
  response: { body: bytes(), headers: z.object({ etag: z.string() }) },
});
const scan = operation(files, {
  name: 'scan',
  route: 'POST /scan',
  body: bytes(),
  response: z.object({ clean: z.boolean() }),
  safe: true,
});

const upload = operation(files, {
  name: 'upload',
  route: 'POST /scan',
  body: multipart(
    z.object({ 'a "b"\r\n': z.string(), n: z.array(z.number()), none: z.null(), file: bytes() }),
  ),
  response: z.object({ clean: z.boolean() }),
  safe: true,
});

const compositions = {
  uploaded: defineComposition({
    route: 'GET /uploaded/:id',
    compose({ params }) {
      const file = call(getFile, { id: params.id });
      const body = { 'a "b"\r\n': params.id, n: [1, 2], none: null, file };
      return { one: call(upload, { body }), two: call(upload, { body }) };
    },
  }),
  file: defineComposition({
    route: 'GET /file/:id',
    cache: { maxAge: 60 },
    compose: ({ params }) => call(getFile, { id: params.id }),
  }),
  declared: defineComposition({
    route: 'GET /declared/:id',
    response: bytes(),
    compose({ params }) {
      const file = call(getParts, { id: params.id });
      return answer(file.body, {
        status: 203,
        headers: {
          'content-type': 'application/pdf',
          'content-security-policy': "default-src 'none'",
          'content-disposition': 'attachment; filename="a.pdf"',
          etag: file.headers.etag,
        },
      });
    },
  }),
  tolerant: defineComposition({
    route: 'GET /tolerant/:id',
    compose: ({ params }) => optional(call(getFile, { id: params.id })),
  }),
  given: defineComposition({
    route: 'GET /given/:id',
    compose: ({ params }) => given(params.id, (id) => call(getFile, { id })),
  }),
  scanned: defineComposition({
    route: 'GET /scanned/:id',
    compose({ params }) {
      const file = call(getFile, { id: params.id });
      return { one: call(scan, { body: file }), two: call(scan, { body: file }) };
    },
  }),
};

const content = Buffer.from([0x25, 0x50, 0x44, 0x46, 0xff, 0x00, 0xe9]);

async function start(type: string | undefined = 'image/svg+xml; charset=utf-8') {
  const server = await startServer((request, response) => {
    if (request.url === '/scan') return void response.end('{"clean":true}');
    response.writeHead(request.url === '/files/gone' ? 404 : 200, {
      ...(type !== undefined && { 'content-type': type }),
      etag: '"1"',
    });
    response.end(content);
  });
  const environment = { FILES_URL: server.url };
  const gateway = await startWithMocks({ compositions, environment });
  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(gateway.url + path, init);
    return { response, body: Buffer.from(await response.arrayBuffer()) };
  };
  return { get, server, internalErrors: gateway.internalErrors };
}

it('passes a file on as it is, with its type, in a sandbox', async () => {
  const { get } = await start();
  const { response, body } = await get('/file/a');
  expect(response.status).toBe(200);
  expect(body).toEqual(content);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/svg+xml; charset=utf-8',
    'content-security-policy': 'sandbox',
    'content-length': String(content.length),
    'x-content-type-options': 'nosniff',
    etag: expect.stringMatching(/^"[\w-]{43}"$/),
  });
  const etag = response.headers.get('etag') ?? '';
  const again = await get('/file/a', { headers: { 'if-none-match': etag } });
  expect(again.response.status).toBe(304);
  const head = await get('/file/a', { method: 'HEAD' });
  expect(head.response.headers.get('content-length')).toBe(String(content.length));
});

it('calls a file of an unknown type that', async () => {
  const { get } = await start('');
  const { response } = await get('/given/a');
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
});

it('has the status and headers that the composition gives', async () => {
  const { get } = await start();
  const { response, body } = await get('/declared/a');
  expect(response.status).toBe(203);
  expect(body).toEqual(content);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/pdf',
    'content-security-policy': "default-src 'none'",
    'content-disposition': 'attachment; filename="a.pdf"',
    etag: '"1"',
  });
});

it('is null where its failure is tolerated, and an error where it is not', async () => {
  const { get } = await start();
  const { response, body } = await get('/tolerant/gone');
  expect([response.status, body.toString()]).toEqual([200, 'null']);
  expect(response.headers.get('content-type')).toBe('application/json');
  expect(response.headers.get('plait-degraded')).toMatch(/^getFile;.*status=404;at=%""$/);
  expect((await get('/tolerant/a')).body).toEqual(content);
  expect((await get('/file/gone')).response.status).toBe(404);
});

it('is the body of another call, with its type, and the same call is made once', async () => {
  const { get, server, internalErrors } = await start();
  const { body } = await get('/scanned/a');
  expect(JSON.parse(body.toString())).toEqual({ one: { clean: true }, two: { clean: true } });
  const scans = server.requests.filter(({ target }) => target === '/scan');
  expect(scans).toMatchObject([
    { body: content.toString(), headers: { 'content-type': 'image/svg+xml; charset=utf-8' } },
  ]);
  expect(scans[0]?.headers['content-length']).toBe(String(content.length));
  expect(internalErrors).toEqual([]);
});

it('is a part of a body, as a file with its type, and the same call is made once', async () => {
  const { get, server, internalErrors } = await start('application/pdf');
  const { response } = await get(`/uploaded/${encodeURIComponent('é')}`);
  expect([response.status, internalErrors]).toEqual([200, []]);
  const [sent, ...others] = server.requests.filter(({ target }) => target === '/scan');
  expect(others).toEqual([]);
  const type = sent?.headers['content-type'] ?? '';
  const [, boundary] = type.split('boundary=');
  expect(sent?.body.replaceAll(String(boundary), '·').split('\r\n')).toEqual([
    '--·',
    'Content-Disposition: form-data; name="a %22b%22%0D%0A"',
    '',
    'é',
    '--·',
    'Content-Disposition: form-data; name="n"',
    '',
    '1',
    '--·',
    'Content-Disposition: form-data; name="n"',
    '',
    '2',
    '--·',
    'Content-Disposition: form-data; name="file"; filename="file"',
    'Content-Type: application/pdf',
    '',
    content.toString(),
    '--·--',
    '',
  ]);
  // Read by another reader than ours is written for.
  const read = await new Response(sent?.body ?? '', {
    headers: { 'content-type': type },
  }).formData();
  expect([...read.keys()]).toEqual(['a "b"\r\n', 'n', 'n', 'file']);
});
