/** The services of the soak: cheap, and wrong in a mixture that depends on what is asked for only. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Answer = 'ok' | 'not-found' | 'error' | 'down' | 'reset' | 'cut' | 'late' | 'invalid';

/** Per cent. Most of the time about an eighth fails; one request in ten comes in times when most do. */
const mixtures: Readonly<Record<'usual' | 'bad', Readonly<Record<Answer, number>>>> = {
  usual: { ok: 81, 'not-found': 6, error: 2, down: 3, reset: 2, cut: 2, late: 2, invalid: 2 },
  bad: { ok: 14, 'not-found': 6, error: 20, down: 20, reset: 15, cut: 10, late: 5, invalid: 10 },
};

/** Longer than an attempt may take. */
const lateMs = 120;

/** Listens on a free port until the process ends. */
export async function startUpstream(): Promise<string> {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a TCP server has a port
}

function answer(incoming: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://soak');
  const [, kind = '', id = ''] = pathname.split('/');
  const ids = searchParams.get('ids')?.split(',');
  const [first = id] = ids ?? [];
  incoming.resume();
  const value = ids === undefined ? thing(kind, id) : ids.map((key) => thing(kind, key));
  give(answerTo(kind, first), JSON.stringify(value), response);
}

function thing(kind: string, id: string) {
  return { id, kind, notes: Array.from({ length: 5 }, (_, index) => `${kind} ${id} ${index}`) };
}

/** The same whenever it is asked for: `ord_17` is the 17th. */
function answerTo(kind: string, id: string): Answer {
  const index = Number(id.split('_')[1]);
  const mixture = index % 2_000 >= 1_800 ? mixtures.bad : mixtures.usual;
  let rest = hashOf(`${kind}/${id}`) % 100;
  for (const [name, percent] of Object.entries(mixture)) {
    rest -= percent;
    if (rest < 0) return name as Answer; // the mixtures are records of answers
  }
  return 'ok';
}

/** FNV-1a, mixed once more: of texts that differ in their last letter only, too. */
function hashOf(text: string): number {
  let hash = 0x81_1c_9d_c5;
  for (const letter of text) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01_00_01_93);
  return Math.imul(hash ^ (hash >>> 15), 0x2c_1b_3c_6d) >>> 8;
}

function give(kind: Answer, text: string, response: ServerResponse): void {
  response.setHeader('content-type', 'application/json');
  switch (kind) {
    case 'ok':
      return void response.end(text);
    case 'not-found':
      return void response.writeHead(404).end();
    case 'error':
      return void response.writeHead(500).end('{"message":"broken"}');
    case 'down':
      return void response.writeHead(503).end();
    case 'reset':
      return void response.socket?.resetAndDestroy();
    case 'cut':
      response.setHeader('content-length', text.length);
      response.write(text.slice(0, text.length / 2), () => response.socket?.end());
      return;
    case 'late':
      return void setTimeout(() => response.end(text), lateMs);
    case 'invalid':
      return void response.end('<html>');
    default:
      kind satisfies never;
  }
}
