/** Serves only the hosts that are meant. */
import { RequestError } from '../errors.ts';
import { isHealthCheck } from '../http/health.ts';
import { hostNameOf } from '../http/request-record.ts';
import type { Layer } from '../http/request-record.ts';

/**
 * Answers 421 (RFC 9110, 15.5.20) to a Host that is none of `hosts`, whatever its port. Protects
 * against DNS rebinding, and caches from what was meant for another host. Health checks are exempt:
 * they come by address.
 */
export function allowHosts(hosts: readonly string[]): Layer {
  const allowed = new Set(hosts);
  return function allowHost(c, next) {
    if (isHealthCheck(c) || allowed.has(hostNameOf(c))) return next();
    throw new RequestError('misdirected-request', 'This host is not served here.');
  };
}
