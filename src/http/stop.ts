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
  return new Promise((resolve) => {
    const force = setTimeout(function cutOff() {
      const count = connections.requests() + (sessions?.requests() ?? 0);
      if (count > 0) onRequestsCut?.(count);
      server.closeAllConnections();
    }, graceMs);
    const unused = setTimeout(
      function endUnused() {
        connections.endUnused();
        sessions?.endUnused();
      },
      Math.min(lastWordMs, graceMs),
    );
    atQuietMoment(server, function closeNow() {
      server.close(() => {
        clearTimeout(force);
        clearTimeout(unused);
        resolve();
      });
      connections.closeIdle();
      sessions?.endWhenIdle();
    });
  });
}

/** How long connections that wait are still accepted, in milliseconds. */
const longestWaitMs = 200;

/** A turn of the event loop this short, in milliseconds, has done nothing but look for events. */
const quietMs = 0.1;

/**
 * Runs `close` right after a turn of the event loop that found nothing to do: connections that the
 * system has accepted since the last look, on our behalf, will be reset. libuv accepts one in a turn.
 */
function atQuietMoment(server: Server, close: () => void): void {
  const startedAt = performance.now();
  let turnedAt = startedAt;
  let hasAccepted = true;
  const note = (): void => void (hasAccepted = true);
  server.on('connection', note);
  setImmediate(function look() {
    const now = performance.now();
    const isQuiet = !hasAccepted && now - turnedAt < quietMs;
    turnedAt = now;
    hasAccepted = false;
    if (!isQuiet && now - startedAt < longestWaitMs) return void setImmediate(look);
    server.off('connection', note);
    return close();
  });
}
