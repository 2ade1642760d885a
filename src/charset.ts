/** The `charset` parameter of a `Content-Type` (RFC 9110, 8.3.2). */

/** A comma ends a value: a proxy may have joined two lines of the header. */
const parameter = /;\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^\s;,]*))/g;

/**
 * The first charset that is declared, in lower case; `undefined` if there is none or it is empty.
 */
export function charsetOf(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/charset/i.test(contentType)) return undefined;
  for (const [, name = '', quoted, token = ''] of contentType.matchAll(parameter)) {
    if (name.toLowerCase() !== 'charset') continue;
    const charset = quoted === undefined ? token : quoted.replaceAll(/\\(.)/g, '$1');
    return charset.trim().toLowerCase() || undefined;
  }
  return undefined;
}

/** Whether a charset is UTF-8, under its name or the one without a hyphen that is often sent. */
export function isUtf8Charset(charset: string): boolean {
  return charset === 'utf-8' || charset === 'utf8';
}
