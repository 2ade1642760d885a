/** Values that stand between two slashes of a path, of a client's request as of a service's URL. */

const longestSegment = 1_024;

/**
 * Why `text` cannot be one path segment, in words that follow its name; `undefined` when it can.
 */
export function segmentProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text === '.' || text === '..') return 'is a relative path';
  if (text.length > longestSegment) return `is longer than ${longestSegment} characters`;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'contains control characters';
  return text.isWellFormed() ? undefined : 'is not well-formed Unicode';
}

/**
 * Path traversal: why `text`, sent as one segment, could reach another path; `undefined` when it
 * cannot. Encoding alone does not hold it off: a server may decode more than once before it resolves
 * dot segments, as nginx does in front of a service that decodes again. So the text must be harmless
 * however often it is decoded: no `.` or `..` between slashes, no empty segment, no backslash, no
 * control character, and, unless `slash`, no slash.
 */
export function traversalProblem(text: string, { slash = false } = {}): string | undefined {
  // Most ids have none of these characters.
  if (!/[%./\\;]/.test(text)) return undefined;
  for (let current = text; ;) {
    const problem = problemIn(current, slash);
    if (problem !== undefined)
      return current === text ? problem : `${problem} once it is decoded again`;
    const decoded = decodedOnce(current);
    if (decoded === current) return undefined;
    current = decoded;
  }
}

function problemIn(text: string, slash: boolean): string | undefined {
  if (text.includes('\\')) return 'contains a backslash';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'contains control characters';
  const segments = text.split('/');
  if (segments.some(isDotSegment)) return 'contains a relative path';
  if (segments.length > 1 && !slash) return 'contains a slash';
  return segments.includes('') ? 'contains an empty path segment' : undefined;
}

/** Also with matrix parameters: Tomcat takes `..;x` for `..`. */
function isDotSegment(segment: string): boolean {
  const [name] = segment.split(';', 1);
  return name === '.' || name === '..';
}

/**
 * Takes off one layer of encoding, as the most lenient server would: bytes are decoded one by one,
 * malformed escapes stay, overlong UTF-8 forms (RFC 3629, 3) and `%uXXXX` count as the character
 * they are taken for. Each step is shorter than the one before, so repeating it comes to an end.
 */
function decodedOnce(text: string): string {
  return text
    .replaceAll(overlong, (_, ...groups: (string | undefined)[]) => overlongCharacter(groups))
    .replaceAll(/%u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Two, three and four bytes that stand for one of ASCII. */
const overlong =
  /%c([01])%([89ab][\da-f])|%e0%8([01])%([89ab][\da-f])|%f0%80%8([01])%([89ab][\da-f])/gi;

function overlongCharacter(groups: readonly (string | undefined)[]): string {
  const [high = '0', low = '80'] = groups.filter((group) => /^[\da-f]{1,2}$/i.test(group ?? ''));
  return String.fromCharCode((parseInt(high, 16) << 6) | (parseInt(low, 16) & 0x3f));
}
