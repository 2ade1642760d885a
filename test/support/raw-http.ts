/** Requests as bytes: no HTTP client would send them. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `GET target` exactly as it is written. */
export function rawGet(url: string, target: string): Promise<RawAnswer> {
  return raw(url, `GET ${target} HTTP/1.1\r\nhost: gateway\r\nconnection: close\r\n\r\n`);
}

/** Sends `text` and reads until the other side closes the connection. */
export async function raw(url: string, text: string): Promise<RawAnswer> {
  const socket = await open(url);
  socket.write(text, 'latin1');
  return readAnswer(socket);
}

/** Connects; over TLS, without looking at the certificate. */
export function open(url: string): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const to = { host: hostname, port: Number(port) };
  return new Promise((resolve, reject) => {
    const done = (): void => resolve(socket);
    const socket =
      protocol === 'https:'
        ? connectTls({ ...to, rejectUnauthorized: false }, done)
        : connect(to, done);
    socket.once('error', reject);
  });
}

/** Reads until the other side closes the connection. */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => (received += chunk));
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => resolve(parse(received)));
  });
}

/** Keeps what is received on a connection, and leaves out its errors. */
export function collect(socket: Socket): () => string {
  let received = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  socket.on('error', () => undefined);
  return () => received;
}

/** The complete answers in `text`, but for `100 Continue`. Each has a length. */
export function readAnswers(text: string): RawAnswer[] {
  if (!text.includes('\r\n\r\n')) return [];
  const { body: rest, ...head } = parse(text);
  if (head.status === 100) return readAnswers(rest);
  const length = Number(head.headers['content-length'] ?? 0);
  if (rest.length < length) return [];
  return [{ ...head, body: rest.slice(0, length) }, ...readAnswers(rest.slice(length))];
}

/** One answer, whose body is all that follows. */
function parse(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [line = '', ...fields] = text.slice(0, end).split('\r\n');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(line.split(' ')[1]),
    headers: Object.fromEntries(headers),
    body: text.slice(end + 4),
  };
}
