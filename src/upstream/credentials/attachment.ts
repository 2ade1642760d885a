/** The shape of attachments: what credentials add to a request, and how there are new ones. */
import type { Dispatch } from '../call.ts';
import type { Renewal } from './renew.ts';
import type { TokenSource } from './token.ts';

export interface Attachment {
  /** The name of a header; `undefined`: it goes into the query. */
  readonly header: string | undefined;
  /** Comes before the value. */
  readonly prefix: string;
  /** Gives the credentials as they are now; `undefined`: a call without a caller has none. */
  value(call?: Sending): string | undefined;
  /** The name of the account, which is no secret; empty if there is none. */
  readonly account: string;
  /** The token to wait for; absent: the credentials are always at hand. */
  readonly tokens?: (dispatch?: Dispatch) => TokenSource | undefined;
  /** Absent: there are never new ones. */
  readonly renewal?: (dispatch: Dispatch) => Renewal;
}

/** `tried` is the same list for all attempts of a dispatch, however often that is copied. */
export type Sending = Pick<Dispatch, 'operation'> & Partial<Pick<Dispatch, 'tried' | 'caller'>>;
