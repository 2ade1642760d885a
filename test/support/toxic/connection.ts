/** One connection of a client: reads its requests, answers them in order, each by its own toxic. */
import type { Socket } from 'node:net';
import { toAnswer } from './answer.ts';
import { createRequestReader } from './request.ts';
import type { Request } from './request.ts';
import type { Toxic } from './toxic.ts';
import { askUpstream, toHead } from './upstream.ts';

export interface ConnectionOptions {
  readonly upstream: URL;
  /** The toxic for a request that begins now. */
  readonly toxic: () => Toxic;
  readonly onRequest: () => void;
}

/** Holds when the connection is gone and nothing of it goes on. */
export async function serve(socket: Socket, options: ConnectionOptions): Promise<void> {
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const read = createRequestReader(options.toxic);
  let requests = 0;
  let answered = Promise.resolve();

  async function answer(request: Request, toxic: Toxic, reused: boolean): Promise<void> {
    // It has had its FIN: as a peer that has closed, all there is left to say is RST.
    if (socket.writableEnded) return void socket.resetAndDestroy();
    const { signal } = gone;
    const ask = () => askUpstream(options.upstream, request, signal);
    const { pieces, ending } = await toAnswer(toxic, { request, reused, signal, ask });
    for await (const piece of pieces) await write(socket, piece);
    if (ending === 'fin') socket.end();
    if (ending === 'reset') socket.resetAndDestroy();
    if (ending === 'hang') await closed;
  }

  function onData(chunk: Buffer): void {
    for (const { request, mark } of read(chunk)) {
      const reused = requests > 0;
      requests += 1;
      options.onRequest();
      answered = answered
        .then(() => answer(request, mark, reused))
        .catch((error: unknown) => fail(socket, gone.signal, error));
    }
  }

  socket.setNoDelay(true);
  // The peer's resets; what matters of them is the close that follows.
  socket.on('error', () => undefined);
  // Clients of HTTP do not half-close: who ends the connection does not wait for an answer.
  socket.once('end', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => refuseUnreadable(socket, () => onData(chunk)));
  await closed;
  gone.abort();
  await answered;
}

/** Holds when the system has taken the piece: no faster than the peer reads, and safe from a later reset. */
function write(socket: Socket, piece: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.write(piece, (error) => (error ? reject(error) : resolve()));
  });
}

/** An upstream that fails is a reset for the client; any other error is a mistake in the proxy. */
function fail(socket: Socket, gone: AbortSignal, error: unknown): void {
  if (gone.aborted || socket.destroyed) return;
  if (!(error instanceof Error && 'code' in error)) throw error;
  socket.resetAndDestroy();
}

function refuseUnreadable(socket: Socket, read: () => void): void {
  try {
    read();
  } catch (error) {
    const body = Buffer.from(`toxic proxy: ${(error as Error).message}`); // nothing else is thrown
    socket.removeAllListeners('data').resume();
    socket.end(Buffer.concat([toHead(501, ['content-length', String(body.length)]), body]));
  }
}
