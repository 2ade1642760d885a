/** What commands say where the management side of a gateway does not answer as they hope. */
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { askAdmin } from '../../src/cli/ask-admin.ts';
import { startServer } from '../support/servers.ts';

const answer = z.object({ traces: z.array(z.unknown()) });

function ask(adminUrl: string) {
  return askAdmin({ adminUrl, path: '/traces', answer, absent: 'keeps no traces.' });
}

async function answering(status: number, body: string, type = 'application/json') {
  const { url } = await startServer((_, response) => {
    response.writeHead(status, { 'content-type': type }).end(body);
  });
  return url;
}

describe('a question to the management side', () => {
  it('may name it without a scheme, or with one in upper case', async () => {
    const url = await answering(200, '{"traces":[]}');
    for (const named of [url, `${url}//`, url.slice('http://'.length), url.replace('http', 'HTTP')])
      expect(await ask(named)).toEqual({ traces: [] });
  });

  it.each([
    [200, '<html>', 'is not a Plait gateway. Name its management side with --admin.'],
    [200, '{"traces":1}', 'is not a Plait gateway. Name its management side with --admin.'],
    [401, '{}', 'wants a token. Set ADMIN_TOKEN, or ADMIN_TOKEN_FILE, as for the gateway.'],
    [404, '', 'keeps no traces. Or that is not its management side: name it with --admin.'],
    [421, '{}', 'answers by the names of this machine only. Write 127.0.0.1, or give it an'],
    [503, '', 'answers with the status 503. Is it a Plait gateway?'],
  ])('that is answered with %i and %j says so', async (status, body, message) => {
    const url = await answering(status, body);
    await expect(ask(url)).rejects.toThrow(`${url}/traces ${message}`);
  });

  it('that is never answered to the end is not answered', async () => {
    vi.spyOn(AbortSignal, 'timeout').mockImplementation(() => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      return controller.signal;
    });
    const { url } = await startServer((_, response) => void response.write('{"traces":'));
    await expect(ask(url)).rejects.toThrow(`No gateway answers at ${url}/traces.`);
  });
});
