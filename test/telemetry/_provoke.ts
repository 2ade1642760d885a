/** A client with secrets of its own, who asks for everything that can go wrong. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { open, raw } from '../support/raw-http.ts';
import { failures, pathId, secrets } from './_leaky.ts';

export const headers = {
  authorization: `Bearer ${secrets.authorization}`,
  cookie: `session=${secrets.cookie}`,
  'x-api-key': secrets.apiKey,
};

/** One request for everything that can go wrong, and the answers: status, headers and body as text. */
export async function provoke(url: string): Promise<Map<string, { status: number; text: string }>> {
  const answers = new Map<string, { status: number; text: string }>();
  const ask = async (name: string, path: string, init: RequestInit = {}): Promise<void> => {
    const response = await fetch(url + path, { ...init, headers: { ...headers, ...init.headers } });
    const fields = JSON.stringify([...response.headers]);
    // The body of a success is left out: the client has asked for what the service answered.
    const isSuccess = response.status === 200 && !response.headers.has('plait-degraded');
    const body = await response.text();
    answers.set(name, { status: response.status, text: fields + (isSuccess ? '' : body) });
  };
  const post = (name: string, path: string, body: unknown, type = 'application/json') =>
    ask(name, path, {
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const token = `token=${secrets.query}`;
  for (const how of ['ok', ...failures]) {
    await ask(`probe ${how}`, `/probe/${how}/${pathId}?${token}`);
    await ask(`tolerant ${how}`, `/tolerant/${how}/${pathId}?${token}`);
  }
  await ask('unknown query', `/probe/ok/${pathId}?${token}&other=${secrets.query}`);
  await ask('query too long', `/probe/ok/${pathId}?token=${secrets.query.repeat(9)}`);
  await ask('bad path', `/probe/ok/%ff${pathId}?${token}`);
  await ask('unknown path', `/nowhere/${pathId}?${token}`);
  await ask('wrong method', `/probe/ok/${pathId}?${token}`, { method: 'DELETE' });
  await ask('out of time', `/probe/hang/${pathId}?${token}`, {
    headers: { 'x-request-timeout-ms': '20' },
  });
  await ask('throwing', `/throwing?${token}`);
  await ask('mismatch', `/mismatch?${token}`);
  const card = secrets.requestBody;
  await post('posted ok', '/posted/ok', { card });
  await post('posted status-500', '/posted/status-500', { card });
  await post('posted wrong value', '/posted/ok', { card: { card } });
  await post('posted text', '/posted/ok', card, 'text/plain');
  await post('posted too large', '/posted/ok', { card: card.repeat(30_000) });
  // Its problem quotes a few characters to whom they belong: that answer is left out.
  await post('posted broken', '/posted/ok', `{"card": ${card}`);
  answers.delete('posted broken');
  await post('argument refused', '/posted/ok', { card: card.repeat(5) });
  for (let count = 0; count < 2; count += 1)
    await ask('breaker open', `/tripped/status-500/${pathId}?${token}`);
  await Promise.all(
    ['overloaded', 'slow'].map((name) => ask(name, `/crowded/hang/${name}${pathId}?${token}`)),
  );
  await leave(url, token);
  return answers;
}

/** A client that does not wait for its answer. */
async function leave(url: string, token: string): Promise<void> {
  const socket = await open(url);
  const fields = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `GET /probe/hang/${pathId}?${token} HTTP/1.1\r\nhost: gateway\r\n${fields.join('')}\r\n`,
  );
  await sleep(100);
  socket.destroy();
  await once(socket, 'close');
  await sleep(100);
}

/** Sends credentials in a URL as a client may do, byte by byte. */
export async function attempt(url: string): Promise<string> {
  const { credentials, query } = secrets;
  const ends = 'connection: close\r\n\r\n';
  const requests = [
    `GET http://u:${credentials}@gateway/probe/ok/1?token=${query} HTTP/1.1\r\nhost: gateway\r\n${ends}`,
    `GET /probe/status-500/1?token=${query} HTTP/1.1\r\nhost: u:${credentials}@gateway\r\n${ends}`,
  ];
  const answers = await Promise.all(requests.map((request) => raw(url, request)));
  return JSON.stringify(answers.filter(({ status }) => status !== 200));
}
