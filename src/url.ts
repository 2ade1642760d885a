/**
 * Text → http URLs, and how a message names a text that may hold a password (used by
 * `settings/kinds`; `dsl/service` has a rule of its own).
 */

/** The http or https URL that `text` is; `undefined` when it is anything else. */
export function parseHttpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

/** A URL that paths can be added to: http or https, without credentials, query and fragment. */
export function parseBaseUrl(text: string): URL | undefined {
  const url = parseHttpUrl(text);
  if (url === undefined) return undefined;
  const { username, password, search, hash } = url;
  return username + password + search + hash === '' ? url : undefined;
}

/** The parts of a list that is written with commas, such as the addresses of a service. */
export function splitList(text: string): readonly string[] {
  return text.split(',').map((part) => part.trim());
}

/**
 * `text` as a message shows it: quoted, unless it may hold a password or a token. `whole` is the
 * list that it is a part of: a comma within a password separates its beginning from the `@`.
 */
export function shown(text: string, whole = text): string {
  return /[@?#]/.test(whole) ? 'a value that is not shown here' : JSON.stringify(text);
}
