/** The parts that all baselines share: the addresses of the services, and the line `ready`. */
import type { Server } from 'node:net';

/** @throws Error when the variable is not set: the bench sets it. */
export function addressIn(variable: string): string {
  const address = process.env[variable];
  if (address !== undefined) return address;
  throw new Error(`${variable} is not set. Start this by npm run bench.`);
}

/** Prints the `ready` line of a server once it listens, on any free port of this machine. */
export function listen(server: Server): void {
  server.listen(0, '127.0.0.1', () => reportReady(server));
}

export function reportReady(server: Pick<Server, 'address'>): void {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  console.log(`ready http://127.0.0.1:${address.port}`);
}
