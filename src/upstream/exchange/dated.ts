/** An answer without a usable `Date` is given the time at which it came (RFC 9110, 6.6.1). */
import { parseHttpDate, toHttpDate } from '../../http-date.ts';
import type { RawReply } from './transport.ts';

/** Only where `Expires`, whose meaning depends on it, is there. `now`: milliseconds since 1970. */
export function dated(raw: RawReply, now: number): RawReply {
  const { expires, date } = raw.headers;
  if (expires === undefined || parseHttpDate(String(date), now) !== undefined) return raw;
  return { ...raw, headers: { ...raw.headers, date: toHttpDate(now) } };
}
