/** What may stand between two slashes of a path, of a client's request as of a service's URL. */

const longestSegment = 1_024;

/**
 * Why `text` cannot be one path segment, in words that follow its name; `undefined` when it can. Holds off
 * path traversal: encoding alone does not, since `..` encodes to itself.
 */
export function segmentProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text === '.' || text === '..') return 'is a relative path';
  if (text.length > longestSegment) return `is longer than ${longestSegment} characters`;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'contains control characters';
  return text.isWellFormed() ? undefined : 'is not well-formed Unicode';
}
