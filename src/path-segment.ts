/** Path segments, in the paths of client requests and in the URLs of services. */

const longestSegment = 1_024;

/** Why `text` cannot be a path segment, as the rest of a sentence; `undefined` if it can be one. */
export function segmentProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  if (text === '.' || text === '..') return 'is a relative path';
  if (text.length > longestSegment) return `is longer than ${longestSegment} characters`;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'contains control characters';
  return text.isWellFormed() ? undefined : 'is not well-formed Unicode';
}

/**
 * Path traversal: why `text`, sent as one segment, could reach another path; `undefined` if it
 * could not. Encoding alone does not prevent that: a service may decode more than once before it
 * resolves dot segments, for example behind nginx. So the text must be harmless however often it is
 * decoded: no `.` or `..` between slashes, no empty segment, no backslash, no control character
 * and, unless `slash` is set, no slash. Dots of full width and the like are dots, too, since some
 * services normalize Unicode.
 */
export function traversalProblem(text: string, { slash = false } = {}): string | undefined {
  // Most ids contain none of these characters.
  if (!/[%./\\;\u2024\u2025\ufe52\uff0e]/.test(text)) return undefined;
  let current = text;
  for (let layer = 0; layer <= mostLayers; layer += 1) {
    const problem = problemIn(current, slash);
    if (problem !== undefined)
      return current === text ? problem : `${problem} once it is decoded again`;
    const decoded = decodedOnce(current);
    if (decoded === current) return undefined;
    current = decoded;
  }
  return tooManyLayers;
}

/** No server decodes as often, and each time costs time: a text can have thousands of layers. */
const mostLayers = 20;

const tooManyLayers = `is encoded more than ${mostLayers} times`;

function problemIn(text: string, slash: boolean): string | undefined {
  if (text.includes('\\')) return 'contains a backslash';
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return 'contains control characters';
  const segments = text.split('/');
  if (text.normalize('NFKC').split(/[/\\]/).some(isDotSegment)) return 'contains a relative path';
  if (segments.length > 1 && !slash) return 'contains a slash';
  return segments.includes('') ? 'contains an empty path segment' : undefined;
}

/** Also detects dot segments with matrix parameters: Tomcat reads `..;x` as `..`. */
function isDotSegment(segment: string): boolean {
  const [name] = segment.split(';', 1);
  return name === '.' || name === '..';
}

/** A text without any layer of encoding; `undefined` if there are too many to remove. */
export function decodedWhole(text: string): string | undefined {
  let current = text;
  for (let layer = 0; layer <= mostLayers; layer += 1) {
    const decoded = decodedOnce(current);
    if (decoded === current) return current;
    current = decoded;
  }
  return undefined;
}

/**
 * Removes one layer of encoding, as the most lenient server would: it decodes bytes one by one,
 * keeps malformed escapes, and accepts overlong UTF-8 forms (RFC 3629, 3) and `%uXXXX`. Repeating
 * it ends, since the text gets shorter each time.
 */
function decodedOnce(text: string): string {
  return text
    .replaceAll(/(?:%[\da-f]{2}){2,}/gi, (escapes) => decodedUtf8(escapes))
    .replaceAll(overlong, (_, ...groups: (string | undefined)[]) => overlongCharacter(groups))
    .replaceAll(/%u([\da-f]{4})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    .replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** The characters of escaped bytes; the escapes if they are not UTF-8. */
function decodedUtf8(escapes: string): string {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return escapes;
  }
}

/** Two, three or four bytes that encode an ASCII character. */
const overlong =
  /%c([01])%([89ab][\da-f])|%e0%8([01])%([89ab][\da-f])|%f0%80%8([01])%([89ab][\da-f])/gi;

function overlongCharacter(groups: readonly (string | undefined)[]): string {
  const [high = '0', low = '80'] = groups.filter((group) => /^[\da-f]{1,2}$/i.test(group ?? ''));
  return String.fromCharCode((parseInt(high, 16) << 6) | (parseInt(low, 16) & 0x3f));
}
