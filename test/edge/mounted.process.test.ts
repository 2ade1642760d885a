/** The limit of requests in progress in a program whose own layers take their time. */
import { Hono } from 'hono';
import type { ClientHttp2Session } from 'node:http2';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createGateway } from '../../src/gateway.ts';
import type { GatewayEnv } from '../../src/http/request-record.ts';
import { startServer } from '../../src/http/server.ts';
import { open } from '../support/raw-http.ts';
import { request } from '../support/request.ts';
import { settled } from '../support/settled.ts';
import { ask, connectHttp2, createCertificate } from '../support/tls.ts';

/** The gateway is asked no sooner than the gate of the request is opened. */
async function mountBehindGates({ isSecure = false } = {}) {
  const { certificate, ca } = isSecure ? createCertificate() : {};
  const gates: (() => void)[] = [];
  const gateway = createGateway({ plans: [], addresses: new Map(), edge: { requests: 1 } });
  const program = new Hono<GatewayEnv>();
  program.use(async (_, next) => {
    await new Promise<void>((resolve) => void gates.push(resolve));
    return next();
  });
  program.route('/', gateway.app);
  const { url, close } = await startServer({
    app: program,
    host: '127.0.0.1',
    port: 0,
    setBy: 'the test',
    onInternalError: () => undefined,
    certificate,
  });
  onTestFinished(async () => {
    await close(0);
    await gateway[Symbol.asyncDispose]();
  });
  const hasCome = () => vi.waitUntil(() => gates.length === 1);
  async function letIn(answer: Promise<{ readonly status: unknown }>) {
    await hasCome();
    gates.shift()?.();
    return (await answer).status;
  }
  return { url, ca: ca ?? '', hasCome, letIn, openGate: () => gates.shift()?.() };
}

function reset(session: ClientHttp2Session) {
  const stream = session.request({ ':path': '/a' });
  stream.on('error', () => undefined);
  return () => stream.close(8);
}

describe('a request whose client leaves before a mounted gateway is asked', () => {
  it('does not stay in progress', async () => {
    const { url, hasCome, letIn, openGate } = await mountBehindGates();
    const socket = await open(url);
    socket.write('GET /a HTTP/1.1\r\nhost: gateway\r\n\r\n');
    await hasCome();
    socket.destroy();
    // The server sees that the client has left.
    await settled();
    openGate();
    expect(await letIn(request(`${url}/a`))).toBe(404);
  });

  it('does not stay in progress over HTTP/2', async () => {
    const { url, ca, hasCome, letIn, openGate } = await mountBehindGates({ isSecure: true });
    const session = connectHttp2(url, { ca });
    const leave = reset(session);
    await hasCome();
    leave();
    // The server sees that the client has left.
    await settled();
    openGate();
    expect(await letIn(ask(session, '/a'))).toBe(404);
  });
});
