/** Entity tags and the requests that name them (RFC 9110, 8.8.3 and 13.1.2). */
import { hash } from 'node:crypto';

/** Makes a strong entity tag: equal for equal bytes only. */
export function etagOf(body: string | Uint8Array): string {
  return `"${hash('sha256', body, 'base64url')}"`;
}

/** An entity tag without the mark of a weak one. */
export function opaqueTag(etag: string | undefined): string | undefined {
  return etag?.replace(/^W\//, '');
}

/** One list element, which may be empty (RFC 9110, 5.6.1.2), and its separator. */
const element = /[ \t]*(?:(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|$)/y;

/**
 * Whether `If-None-Match` names `etag`: by weak comparison, in a list, or as `*`. A malformed value
 * names nothing.
 */
export function isNamed(etag: string | undefined, ifNoneMatch: string | undefined): boolean {
  if (etag === undefined || ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || (listedTags(ifNoneMatch)?.includes(etag) ?? false);
}

/** The opaque tags of a list, without `W/`; `undefined` when it is malformed. */
function listedTags(list: string): string[] | undefined {
  const tags: string[] = [];
  for (element.lastIndex = 0; element.lastIndex < list.length;) {
    const match = element.exec(list);
    if (match === null) return undefined;
    if (match[1] !== undefined) tags.push(match[1]);
  }
  return tags;
}
