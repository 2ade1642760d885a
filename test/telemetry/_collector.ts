/** A collector that keeps the bytes it is sent, and can be as unwell as a test likes. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export interface Collector {
  readonly url: string;
  /** Everything received so far: text is legible in it, ids are bytes. */
  readonly received: () => Buffer;
  /** How often it was sent something. */
  readonly requests: () => number;
  /** From now on all is well, also for those who still wait. */
  thaw(): void;
  /** Breaks every connection, and takes no more. */
  kill(): void;
}

/** `frozen` takes everything and never answers. */
export type Health = 'well' | 'frozen' | 'failing';

export async function startCollector(health: Health = 'well', said = 'no'): Promise<Collector> {
  const chunks: Buffer[] = [];
  const waiting: ServerResponse[] = [];
  let now = health;
  const server = createServer(async (request, response) => {
    chunks.push(await buffer(request));
    if (now === 'frozen') waiting.push(response);
    else answer(response, now, said);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const kill = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(kill);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => Buffer.concat(chunks),
    requests: () => chunks.length,
    thaw() {
      now = 'well';
      for (const response of waiting) answer(response, now, said);
    },
    kill,
  };
}

function answer(response: ServerResponse, health: Health, said: string): void {
  response.statusCode = health === 'well' ? 200 : 500;
  response.end(health === 'well' ? '' : said);
}
