/** How long, how many, and how large connections of clients and their requests may be. */
import { readFileSync } from 'node:fs';
import type { Network } from '../network.ts';

export interface SocketLimits {
  /** For the head of a request, in milliseconds. */
  readonly headersTimeoutMs: number;
  /** For a whole request with its body, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** How long a connection without a request is kept, in milliseconds. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may read nothing of an answer, in milliseconds. */
  readonly writeTimeoutMs: number;
  /** Connections from one address (IPv6: from its /64); absent: any number. */
  readonly connectionsPerAddress?: number | undefined;
  /** Proxies of ours, which have the connections of many clients: any number. Default: none. */
  readonly trustedPeers?: readonly Network[];
}

/** Of all header fields of a request. */
export const mostHeaderBytes = 16 * 1024;

export const defaultSocketLimits: SocketLimits = {
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  // More than the 60 s after which load balancers close connections that idle: otherwise they would
  // send requests into connections that are being closed here.
  keepAliveTimeoutMs: 75_000,
  writeTimeoutMs: 30_000,
};

/** The file descriptors that Node itself, logs and telemetry need, and more. */
const ownFiles = 64;

/** The share of the others that clients may use; services need the rest. */
const clientsShare = 0.75;

/**
 * The most connections of clients, so that calls to services never fail for want of a file
 * descriptor (EMFILE). `undefined` where the limit cannot be read, as outside of Linux.
 */
export function mostConnections(): number | undefined {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const soft = Number(/^Max open files +(\d+)/m.exec(limits)?.[1]);
    if (Number.isNaN(soft)) return undefined;
    return Math.max(1, Math.floor((soft - ownFiles) * clientsShare));
  } catch {
    // There is no such file: this is not Linux.
    return undefined;
  }
}
