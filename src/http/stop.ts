/** The stop of a server, which loses nothing that was accepted. */
import type { Server } from 'node:http';
import type { Connections } from './connections.ts';
import type { Sessions } from './sessions.ts';

/** How long a connection that was accepted last may take to send its request. */
const lastWordMs = 250;

interface Followed {
  readonly connections: Connections;
  readonly sessions: Sessions | undefined;
  /** Called with the number of requests that are broken off. */
  readonly onRequestsCut: ((count: number) => void) | undefined;
}

/**
 * Stops accepting, waits for what was accepted to be answered, and after `graceMs` breaks off the
 * rest.
 */
export function stopServer(
  server: Server,
  { connections, sessions, onRequestsCut }: Followed,
  graceMs: number,
): Promise<void> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    // Clients that wait for an answer open no connection meanwhile.
    connections.hold();
    atQuietMoment(server, graceMs, function closeNow() {
      const leftMs = Math.max(0, graceMs - (performance.now() - startedAt));
      const force = setTimeout(function cutOff() {
        const count = connections.requests() + (sessions?.requests() ?? 0);
        if (count > 0) onRequestsCut?.(count);
        server.closeAllConnections();
      }, leftMs);
      const unused = setTimeout(
        function endUnused() {
          connections.endUnused();
          sessions?.endUnused();
        },
        Math.min(lastWordMs, leftMs),
      );
      server.close(() => {
        clearTimeout(force);
        clearTimeout(unused);
        // Requests are told that their connection is gone at the end of this turn of the event
        // loop. Before that, the end of the gateway would look to them like a broken service.
        setTimeout(resolve);
      });
      connections.goOn();
      connections.closeIdle();
      sessions?.endWhenIdle();
    });
  });
}

/** Without a new connection for so long, in milliseconds, none is on its way. */
const ceasedMs = 50;

/** How long it is waited for that, and then for a quiet turn, in milliseconds. */
const longestMs = { ceased: 400, quiet: 600 };

/** A turn of the event loop this short, in milliseconds, has done nothing but look for events. */
const quietMs = 0.1;

/**
 * Runs `close` within so many milliseconds, when no connection seems to be on its way, right after
 * a turn of the event loop that found nothing to do: those that the system has accepted since the
 * last look, on our behalf, will be reset. libuv accepts one in a turn.
 */
function atQuietMoment(server: Server, withinMs: number, close: () => void): void {
  const limitMs = Math.min(longestMs.quiet, withinMs);
  const startedAt = performance.now();
  let turnedAt = startedAt;
  let acceptedAt = startedAt;
  let hasAccepted = true;
  const note = (): void => void (hasAccepted = true);
  server.on('connection', note);
  setImmediate(function look() {
    const now = performance.now();
    const waitedMs = now - startedAt;
    if (hasAccepted) acceptedAt = now;
    const isQuiet = !hasAccepted && now - turnedAt < quietMs;
    const haveCeased = now - acceptedAt >= ceasedMs || waitedMs >= longestMs.ceased;
    turnedAt = now;
    hasAccepted = false;
    if (!(isQuiet && haveCeased) && waitedMs < limitMs) return void setImmediate(look);
    server.off('connection', note);
    return close();
  });
}
