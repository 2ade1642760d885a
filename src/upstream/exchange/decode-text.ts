/** Decodes the bytes of an answer by the charset that the service declares. */
import { charsetOf, isUtf8Charset } from '../../charset.ts';
import { utf8Text } from '../../utf8.ts';

/** An answer declares a charset that is not supported. */
export class CharsetError extends Error {
  override readonly name = 'CharsetError';
}

/**
 * Decodes UTF-8 (RFC 8259, 8.1), or the charset that an old service declares instead.
 *
 * @throws NotUtf8Error, CharsetError
 */
export function decodeText(bytes: Buffer, contentType: string | undefined): string {
  // Some services write single quotation marks, which are a part of no name.
  const charset = charsetOf(contentType)?.replaceAll("'", '');
  if (charset === undefined || isUtf8Charset(charset)) return utf8Text(bytes);
  switch (charset) {
    case 'us-ascii':
    case 'ascii':
      return utf8Text(bytes);
    // Names of the IANA registry, and those of Java and Python.
    case 'iso-8859-1':
    case 'iso8859-1':
    case 'iso_8859-1':
    case 'latin1':
    case 'latin-1':
    case 'l1':
      return bytes.toString('latin1');
    case 'windows-1252':
    case 'cp1252':
      return new TextDecoder('windows-1252').decode(bytes);
    default:
      throw new CharsetError(
        `declares the charset ${isShown.test(charset) ? charset : 'in an unreadable form'}, ` +
          'which is not decoded',
      );
  }
}

/** Charsets that a message may quote. */
const isShown = /^[\w.:-]{1,40}$/;
