/** Gives an answer without a usable `Date` the time at which it arrived (RFC 9110, 6.6.1). */
import { parseHttpDate, toHttpDate } from '../../http-date.ts';
import type { RawReply } from './transport.ts';

/** Only with an `Expires` header, whose meaning depends on it. `now`: milliseconds since 1970. */
export function dated(raw: RawReply, now: number): RawReply {
  const { expires, date } = raw.headers;
  if (expires === undefined || parseHttpDate(String(date), now) !== undefined) return raw;
  return { ...raw, headers: { ...raw.headers, date: toHttpDate(now) } };
}
