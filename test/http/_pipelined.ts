/** Requests of one connection that are sent without waiting for answers. */
import { vi } from 'vitest';
import { collect, open } from '../support/raw-http.ts';
import { value } from '../support/serve.ts';
import type { Upstream } from '../support/upstream.ts';

export const get = (path: string) => `GET ${path} HTTP/1.1\r\nhost: gateway\r\n\r\n`;

/** Pipelines twenty requests, of which eight at a time are served: those sent, and those answered. */
export async function pipelineTwenty(url: string, upstream: Upstream) {
  const socket = await open(url);
  const received = collect(socket);
  const names = Array.from({ length: 20 }, (_, index) => String(index + 10));
  socket.write(names.map((name) => get(`/parts/${name}`)).join(''));
  for (const [index, name] of names.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- each answer lets the next request be served
    await vi.waitUntil(() => upstream.waiting() === Math.min(8, names.length - index));
    // oxlint-disable-next-line no-await-in-loop
    await upstream.answer(`GET /parts/${name}`, value(name));
  }
  await vi.waitUntil(() => received().match(/"value":"\d+"/g)?.length === names.length);
  socket.destroy();
  return { sent: names, answered: received().match(/(?<="value":")\d+/g) };
}
