/** Opens the sockets of a gateway, and closes them without losing a request. */
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import type { Gateway } from './gateway.ts';
import type { Certificate } from './http/certificate.ts';
import { startServer } from './http/server.ts';
import type { RunningServer } from './http/server.ts';
import type { SocketLimits } from './http/socket-limits.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Of the management side. Default: 127.0.0.1, which only this machine can reach. */
  readonly adminHost?: string | undefined;
  /** Of the management side; 0: any free port. Absent: it does not listen. */
  readonly adminPort?: number | undefined;
  /** Tried when `adminPort` is taken. */
  readonly otherAdminPort?: number | undefined;
  /** Of the public side. Default: `defaultSocketLimits`. */
  readonly sockets?: Partial<SocketLimits> | undefined;
  /**
   * Of the public side, which speaks HTTP/1.1 and HTTP/2 over TLS then. Default: plain HTTP/1.1.
   */
  readonly certificate?: Certificate | undefined;
  /** Called for errors that not even the apps have caught. Default: they are dropped. */
  readonly onInternalError?: (error: unknown) => void;
  /** Called by a stop that cuts off requests of clients, with their number. */
  readonly onRequestsCut?: (count: number) => void;
  readonly clock?: Clock;
}

export interface Listening extends AsyncDisposable {
  readonly url: string;
  readonly adminUrl: string | undefined;
  /**
   * Says no at `/readyz` and takes requests for another `delayMs` (default 0), then finishes what
   * is under way within `graceMs` (default 10,000), and disposes of the gateway.
   */
  close(options?: CloseOptions): Promise<void>;
}

export interface CloseOptions {
  readonly delayMs?: number;
  readonly graceMs?: number;
}

/** Operators are near: their requests are short. */
const adminGraceMs = 1_000;

/**
 * Serves both sides of a gateway. The gateway is disposed of when it stops listening, or at once
 * when it cannot listen.
 *
 * @throws ConfigurationError when a port is taken.
 */
export async function listen(gateway: Gateway, options: ListenOptions): Promise<Listening> {
  const { host, port, onInternalError = ignore, clock = systemClock } = options;
  let graceMs = 10_000;
  let stopsAt = Infinity;
  // Disposed of in reverse order: the management side reports until the public side has stopped.
  await using opened = new AsyncDisposableStack();
  opened.use(gateway);
  // After the last request has ended, and within the same limit.
  opened.defer(() => gateway.settleWrites(Math.max(0, stopsAt - clock.now())));
  const admin = await listenForOperators(gateway, options);
  opened.defer(() => admin?.close(adminGraceMs));
  const setBy = 'PORT and HOST';
  const main = await startServer({
    app: gateway.app,
    host,
    port,
    setBy,
    onInternalError,
    onRequestsCut: options.onRequestsCut,
    onConnectionFailure: gateway.onConnectionFailure,
    limits: options.sockets,
    certificate: options.certificate,
  });
  gateway.countConnections(main.connections);
  opened.defer(() => main.close(graceMs));
  const resources = opened.move();

  async function stop({ delayMs = 0, ...more }: CloseOptions): Promise<void> {
    graceMs = more.graceMs ?? graceMs;
    gateway.drain();
    main.drain();
    if (delayMs > 0) await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
    stopsAt = clock.now() + graceMs;
    await resources.disposeAsync();
  }

  let stopped: Promise<void> | undefined;
  const close = (how: CloseOptions = {}): Promise<void> => (stopped ??= stop(how));
  return { url: main.url, adminUrl: admin?.url, close, [Symbol.asyncDispose]: () => close() };
}

async function listenForOperators(
  { admin }: Gateway,
  { adminHost = '127.0.0.1', adminPort, otherAdminPort, onInternalError = ignore }: ListenOptions,
): Promise<RunningServer | undefined> {
  if (adminPort === undefined) return undefined;
  const setBy = 'ADMIN_PORT and ADMIN_HOST';
  const at = (port: number): Promise<RunningServer> =>
    startServer({ app: admin, host: adminHost, port, setBy, onInternalError });
  if (otherAdminPort === undefined) return at(adminPort);
  // By trying, since two gateways that start at the same time would both find the port free.
  return at(adminPort).catch(() => at(otherAdminPort));
}

function ignore(): void {}
