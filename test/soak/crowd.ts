/** The other process of the soak: the services, and the clients, so that the soak's heap is the gateway's. */
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { startUpstream } from './upstream.ts';

/** A task that it is given. Requests are numbered. */
export interface Task {
  readonly gateway: string;
  readonly from: number;
  readonly count: number;
  readonly concurrency: number;
}

/** Its messages: first where its services are, then how the requests of each task ended. */
export type Word = { readonly upstream: string } | { readonly ends: Ends };

/** How often each kind of end was seen: `ok`, `degraded`, the type of a problem, `gone` for clients that left. */
export type Ends = Readonly<Record<string, number>>;

const agent = new Agent({ keepAlive: true });

async function run({ gateway, from, count, concurrency }: Task): Promise<Ends> {
  const ends: Record<string, number> = {};
  let next = from;
  async function client(): Promise<void> {
    while (next < from + count) {
      const index = next;
      next += 1;
      for (const end of await ask(gateway, index)) ends[end] = (ends[end] ?? 0) + 1;
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client));
  return ends;
}

/** Every request differs from its neighbours in some way, the same in every run. */
async function ask(gateway: string, index: number): Promise<string[]> {
  const isWrite = index % 25 === 0;
  // One in five asks for what the one before asked for.
  const id = `ord_${index % 5 === 4 ? index - 1 : index}`;
  const headers: Record<string, string> = {
    authorization: `Bearer user-${index % 997}`,
    'content-type': 'application/json',
  };
  if (index % 10 === 3) headers['x-request-timeout-ms'] = String(1 + (index % 40));
  return once(`${gateway}/soak/${id}`, {
    method: isWrite ? 'POST' : 'GET',
    headers,
    ...(isWrite && { body: JSON.stringify({ note: `note ${index}` }) }),
    ...(index % 12 === 7 && { leaveAfterMs: index % 15 }),
  });
}

interface Asked extends RequestOptions {
  readonly body?: string;
  readonly leaveAfterMs?: number;
}

function once(url: string, asked: Asked): Promise<string[]> {
  const { body, leaveAfterMs, ...options } = asked;
  return new Promise((resolve) => {
    const outgoing = httpRequest(url, { agent, ...options }, (response) => {
      readEnd(response).then(resolve, (error: NodeJS.ErrnoException) => resolve([codeOf(error)]));
    });
    const leave = leaveAfterMs === undefined ? undefined : setTimeout(abandon, leaveAfterMs);
    outgoing.once('close', () => clearTimeout(leave));
    outgoing.once('error', (error: NodeJS.ErrnoException) => {
      // As a connection is chosen it may just be closed for having been idle.
      const raced = outgoing.reusedSocket && error.code === 'ECONNRESET';
      resolve(raced && body === undefined ? once(url, asked) : [codeOf(error)]);
    });
    outgoing.end(body);

    function abandon(): void {
      resolve(['gone']);
      outgoing.destroy();
    }
  });
}

async function readEnd(response: IncomingMessage): Promise<string[]> {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) text += chunk;
  const value: { type?: string; order?: unknown } = JSON.parse(text);
  if (response.statusCode !== 200) return [value.type ?? `status ${response.statusCode}`];
  if (value.order === undefined) return ['unexpected body'];
  const degraded = response.headers['plait-degraded'];
  if (degraded === undefined) return ['ok'];
  const reasons = String(degraded).matchAll(/;reason=([\w-]+)/g);
  return ['degraded', ...new Set([...reasons].map(([, reason]) => `degraded by ${reason}`))];
}

function codeOf({ code, message }: NodeJS.ErrnoException): string {
  return `error ${code ?? message}`;
}

function say(word: Word): void {
  process.send?.(word);
}

if (import.meta.main) {
  process.on('message', (task: Task) => void run(task).then((ends) => say({ ends })));
  // The soak is over, however it ended.
  process.once('disconnect', () => process.exit(0));
  say({ upstream: await startUpstream() });
}
