/** Decodes UTF-8 strictly: invalid bytes would otherwise become U+FFFD silently. */
import { isUtf8 } from 'node:buffer';

/** Bytes that are not UTF-8. */
export class NotUtf8Error extends Error {
  override readonly name = 'NotUtf8Error';
  /** The index of the first byte that belongs to no character. */
  readonly at: number;

  constructor(at: number) {
    super(`is not UTF-8 at byte ${at} (RFC 8259, 8.1)`);
    this.at = at;
  }
}

/** @throws NotUtf8Error, also for overlong forms, encoded surrogates and truncated characters. */
export function utf8Text(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new NotUtf8Error(firstInvalid(bytes));
}

/** Text without the byte order mark that some programs write before it. */
export function withoutByteOrderMark(text: string): string {
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function firstInvalid(bytes: Uint8Array): number {
  let at = 0;
  for (let length = 1; length > 0 && at < bytes.length; at += length) {
    length = characterLength(bytes, at);
    if (length === 0) return at;
  }
  return at;
}

/** The length of the character that begins at an index; 0 if none does (RFC 3629, 4). */
function characterLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  const character = bytes.subarray(at, at + length);
  const [, second = 0] = character;
  if (character.length < length || !isSecond(lead, second)) return 0;
  return character.subarray(1).every((byte) => byte >= 0x80 && byte < 0xc0) ? length : 0;
}

/** Excludes overlong forms, surrogates, and code points beyond U+10FFFF. */
function isSecond(lead: number, second: number): boolean {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second < 0xa0;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second < 0x90;
    default:
      return true;
  }
}
