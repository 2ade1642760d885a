/** Optional white space around values of HTTP (RFC 9110, 5.6.3): blanks and tabs, and no other. */

/** The text without the blanks and tabs around it. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  // Not by `/[ \t]+$/`, which looks at every end of every run of blanks (ReDoS).
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
