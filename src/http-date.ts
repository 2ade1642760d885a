/** HTTP dates (RFC 9110, 5.6.7) → milliseconds since 1970. */

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const month = `(?<month>${months.join('|')})`;
const time = String.raw`(?<hour>[01]\d|2[0-3]):(?<minute>[0-5]\d):(?<second>[0-5]\d|60)`;
const shortDay = '(?:mon|tue|wed|thu|fri|sat|sun)';
const longDay = '(?:mon|tues|wednes|thurs|fri|satur|sun)day';

/** The form of today, and the two obsolete ones that a recipient has to accept. All are in GMT. */
const forms = [
  String.raw`${shortDay}, (?<day>\d\d) ${month} (?<year>\d{4}) ${time} GMT`,
  String.raw`${longDay}, (?<day>\d\d)-${month}-(?<year>\d\d) ${time} GMT`,
  String.raw`${shortDay} ${month} (?<day>[ \d]\d) ${time} (?<year>\d{4})`,
  // Names match in any case (RFC 9111, 4.2).
].map((form) => new RegExp(`^${form}$`, 'i'));

/**
 * The moment that an HTTP date names, in milliseconds since 1970; `undefined` for any other text.
 * `Date.parse` takes much more, and some of it in the machine's own time zone.
 *
 * @param now in milliseconds since 1970: a year of two digits is at most 50 years ahead of it.
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  for (const form of forms) {
    const fields = form.exec(text.trim())?.groups;
    if (fields !== undefined) return momentOf(fields, now);
  }
  return undefined;
}

function momentOf(
  fields: Readonly<Record<string, string | undefined>>,
  now: number,
): number | undefined {
  const { year = '', month: name = '', day, hour, minute, second } = fields;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), months.indexOf(name.toLowerCase()), Number(day));
  date.setUTCHours(Number(hour), Number(minute), Number(second));
  if (year.length === 2) setCentury(date, Number(year), now);
  // The 31st of a short month is in the next one. A leap second ends its day.
  const isOfMonth = date.getUTCMonth() === months.indexOf(name.toLowerCase());
  return isOfMonth || second === '60' ? date.getTime() : undefined;
}

/** More than 50 years ahead means the latest past year with the same digits. */
function setCentury(date: Date, digits: number, now: number): void {
  const century = Math.floor(new Date(now).getUTCFullYear() / 100) * 100;
  const ahead = new Date(now);
  ahead.setUTCFullYear(ahead.getUTCFullYear() + 50);
  for (const base of [century + 100, century, century - 100]) {
    date.setUTCFullYear(base + digits);
    if (date.getTime() <= ahead.getTime()) return;
  }
}

/** The text of a moment, in milliseconds since 1970, as an HTTP date. */
export function toHttpDate(epochMs: number): string {
  return new Date(epochMs).toUTCString();
}
