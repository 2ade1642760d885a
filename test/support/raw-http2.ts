/** HTTP/2 as frames (RFC 9113): no client would send some of them. */
import { connect } from 'node:tls';
import { onTestFinished, vi } from 'vitest';

export type Field = readonly [name: string, value: string];

export interface Frame {
  readonly type: string;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface RawHttp2 {
  /** All that was received, but for SETTINGS and WINDOW_UPDATE. */
  readonly frames: readonly Frame[];
  readonly closed: boolean;
  write(...frames: readonly Buffer[]): void;
  /** Leaves everything unread that comes from now on, or goes on. */
  read(how: 'nothing' | 'on'): void;
  close(): void;
  /** Waits for a frame of that type, of the stream or the connection. */
  next(type: string, stream?: number): Promise<Frame>;
  /** The body of the answer in a stream, once it has ended. */
  body(stream: number): Promise<string>;
}

const types = ['DATA', 'HEADERS', 'PRIORITY', 'RST_STREAM', 'SETTINGS', 'PUSH_PROMISE', 'PING'];
const moreTypes = ['GOAWAY', 'WINDOW_UPDATE', 'CONTINUATION'];
const names = [...types, ...moreTypes];
const ends = 1;
const hasAllFields = 4;

export function frame(
  type: string,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
  flags = 0,
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = names.indexOf(type);
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** The frame of a request that has no body, or whose body follows. */
export function headers(stream: number, fields: readonly Field[], hasBody = false): Buffer {
  return frame('HEADERS', stream, encode(fields), hasAllFields | (hasBody ? 0 : ends));
}

export function data(stream: number, text: string): Buffer {
  return frame('DATA', stream, Buffer.from(text), ends);
}

export function reset(stream: number, code = 8): Buffer {
  return frame('RST_STREAM', stream, number(code));
}

/** Gives a setting, such as 4, the initial size of windows. */
export function setting(id: number, value: number): Buffer {
  return frame('SETTINGS', 0, Buffer.concat([Buffer.from([0, id]), number(value)]));
}

/** Lets the other side send more over the connection in all. */
export function windowOfConnection(bytes: number): Buffer {
  return frame('WINDOW_UPDATE', 0, number(bytes));
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** Literal fields without indexing (RFC 7541, 6.2.2). */
export function encode(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([name, value]) => [Buffer.of(0), literal(name), literal(value)]),
  );
}

function literal(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([Buffer.from(length(bytes.length)), bytes]);
}

/** An integer with a prefix of seven bits (RFC 7541, 5.1). */
function length(size: number): number[] {
  if (size < 127) return [size];
  const rest: number[] = [];
  let left = size - 127;
  for (; left >= 128; left >>= 7) rest.push((left & 127) | 128);
  return [127, ...rest, left];
}

/** The fields of `GET path`, or of what `fields` say. */
export function get(path: string, ...others: readonly Field[]): Field[] {
  return request('GET', path, ...others);
}

export function request(method: string, path: string, ...others: readonly Field[]): Field[] {
  return [
    [':method', method],
    [':scheme', 'https'],
    [':authority', 'gateway'],
    [':path', path],
    ...others,
  ];
}

/** Connects and says hello; acknowledges settings unless told otherwise. */
export async function openHttp2(url: string, acknowledges = true): Promise<RawHttp2> {
  const { hostname, port } = new URL(url);
  const socket = connect({
    host: hostname,
    port: Number(port),
    ALPNProtocols: ['h2'],
    rejectUnauthorized: false,
  });
  onTestFinished(() => void socket.destroy());
  const frames: Frame[] = [];
  let rest: Buffer = Buffer.alloc(0);
  let wasGreeted = false;
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const size = rest.length < 9 ? Infinity : 9 + rest.readUIntBE(0, 3);
      if (rest.length < size) return;
      const type = names[rest[3] ?? 0] ?? '';
      const flags = rest[4] ?? 0;
      const stream = rest.readUInt32BE(5);
      const payload = rest.subarray(9, size);
      if (type === 'SETTINGS') wasGreeted = true;
      if (type === 'SETTINGS' && acknowledges && flags === 0)
        socket.write(frame('SETTINGS', 0, undefined, 1));
      if (type !== 'SETTINGS' && type !== 'WINDOW_UPDATE')
        frames.push({ type, flags, stream, payload });
      rest = rest.subarray(size);
    }
  });
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame('SETTINGS', 0));
  await vi.waitUntil(() => wasGreeted);

  const find = (wanted: string, id: number): Frame | undefined =>
    frames.find(({ type, stream }) => type === wanted && stream === id);
  return {
    frames,
    get closed() {
      return socket.closed;
    },
    write: (...sent) => void socket.write(Buffer.concat(sent)),
    read: (how) => void (how === 'on' ? socket.resume() : socket.pause()),
    close: () => void socket.destroy(),
    async next(type, stream = 0) {
      await vi.waitUntil(() => find(type, stream) !== undefined);
      return find(type, stream) as Frame; // it was just found
    },
    async body(stream) {
      const parts = (): Frame[] =>
        frames.filter((one) => one.type === 'DATA' && one.stream === stream);
      const isOver = (): boolean => parts().some(({ flags }) => (flags & ends) !== 0);
      await vi.waitUntil(isOver);
      return Buffer.concat(parts().map(({ payload }) => payload)).toString();
    },
  };
}

/** The error code of RST_STREAM, or of GOAWAY. */
export function codeOf({ type, payload }: Frame): string {
  const code = payload.readUInt32BE(type === 'GOAWAY' ? 4 : 0);
  return errorCodes[code] ?? String(code);
}

/** RFC 9113, 7. */
const errorCodes: readonly string[] = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
];
