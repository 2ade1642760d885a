/** The text of an answer's body, by the charset that it declares. */
import type { Operation } from '../../../dsl/operation.ts';
import { NotUtf8Error } from '../../../utf8.ts';
import { callError } from '../../call.ts';
import { CharsetError, decodeText } from '../decode-text.ts';
import type { RawReply } from '../transport.ts';

/** @throws UpstreamError of kind `invalid-body`. */
export function textOf(
  call: { readonly operation: Operation },
  headers: RawReply['headers'],
  body: Buffer,
): string {
  try {
    return decodeText(body, headers['content-type']?.toString());
  } catch (error) {
    if (!(error instanceof NotUtf8Error) && !(error instanceof CharsetError)) throw error;
    throw callError(call, 'invalid-body', `its body ${error.message}`, { reached: 'body' });
  }
}
