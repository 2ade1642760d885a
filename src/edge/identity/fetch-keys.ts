/** Fetches a JWK set: one GET, on connections of its own. */
import type { Clock } from '../../clock.ts';
import { openIssuer } from '../../upstream/credentials/issuer.ts';

export interface KeyAddress {
  /** The text of the set. Throws an UpstreamError where there is none. */
  fetch(): Promise<string>;
  close(): Promise<void>;
}

/** Sets have some keys of some hundred bytes each. */
const maxBodyBytes = 262_144;
const timeoutMs = 3_000;

export function openKeyAddress(url: URL, clock: Clock): KeyAddress {
  const issuer = openIssuer({
    name: 'keys',
    method: 'GET',
    url,
    timeoutMs,
    maxBodyBytes,
    connections: 1,
    clock,
  });
  const request = {
    method: 'GET',
    target: url.pathname + url.search,
    headers: { accept: 'application/jwk-set+json, application/json' },
    body: null,
  } as const;
  return {
    async fetch() {
      const reply = await issuer.send(request);
      if (reply.status < 200 || reply.status > 299) throw issuer.errorOf(reply);
      return reply.body.toString('utf8');
    },
    close: () => issuer.close(),
  };
}
