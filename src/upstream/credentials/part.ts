/** The part of a request that carries the credentials, by their kind. */
import type { Clock } from '../../clock.ts';
import type { Auth } from '../../dsl/credentials.ts';
import type { Text } from '../../dsl/source.ts';
import { basicOf } from './basic.ts';
import { fileRenewal, tokenRenewal } from './renew.ts';
import type { Renewal } from './renew.ts';
import type { Secrets } from './secrets.ts';
import type { TokenSource } from './token.ts';
import type { OpenTokens } from './tokens.ts';

export interface Part {
  /** `undefined`: it is a part of the query. */
  readonly header: string | undefined;
  /** Comes before the value. */
  readonly prefix: string;
  /** Gives the credentials as they are now. */
  value(): string;
  /** The name of the account, which is no secret; empty if there is none. */
  readonly account: string;
  /** The token to wait for; absent: the credentials are always at hand. */
  readonly tokens?: TokenSource;
  /** Absent: there are never new ones. */
  readonly renewal?: Renewal;
}

export interface PartOptions {
  readonly secrets: Secrets;
  readonly tokens: OpenTokens;
  readonly clock: Clock;
}

export function partOf(auth: Auth, { secrets, tokens, clock }: PartOptions): Part {
  const text = (source: Text): (() => string) => valueOf(source, secrets);
  /** Renewed by looking at the files among its sources. */
  const renewed = (part: Part, sources: readonly Text[]): Part => {
    const files = sources.flatMap((source) =>
      typeof source === 'object' && 'file' in source ? [secrets(source)] : [],
    );
    return files.length === 0 ? part : { ...part, renewal: fileRenewal(part.value, files) };
  };
  switch (auth.kind) {
    case 'bearer': {
      const part = { header: 'authorization', prefix: 'Bearer ', account: '' };
      return renewed({ ...part, value: text(auth.token) }, [auth.token]);
    }
    case 'basic': {
      const user = text(auth.user);
      const password = text(auth.password);
      const part = { header: 'authorization', prefix: '', account: `basic ${user()}` };
      const value = (): string => basicOf(user(), password());
      return renewed({ ...part, value }, [auth.user, auth.password]);
    }
    case 'apiKey': {
      const value = text(auth.key);
      if (auth.in === 'header') {
        return renewed({ header: auth.name, prefix: '', account: '', value }, [auth.key]);
      }
      const prefix = `${encodeURIComponent(auth.name)}=`;
      const encoded = (): string => encodeURIComponent(value());
      return renewed({ header: undefined, prefix, account: '', value: encoded }, [auth.key]);
    }
    case 'clientCredentials': {
      const { source, account } = tokens.open(auth);
      return {
        header: 'authorization',
        prefix: 'Bearer ',
        value: () => source.text(),
        account,
        tokens: source,
        renewal: tokenRenewal(source, clock),
      };
    }
    default:
      return auth satisfies never;
  }
}

/** Gives the text as it is now. */
export function valueOf(text: Text, secrets: Secrets): () => string {
  return typeof text === 'string' ? () => text : secrets(text).text;
}
