/** Makes attachments of credentials, by their kind. */
import type { Clock } from '../../clock.ts';
import { sourcesOfAuth } from '../../dsl/credentials.ts';
import type { Auth } from '../../dsl/credentials.ts';
import type { Text } from '../../dsl/source.ts';
import type { Attachment } from './attachment.ts';
import { basicOf } from './basic.ts';
import { ofCallers } from './caller-token.ts';
import { fileRenewal, tokenRenewal } from './renew.ts';
import type { Secrets } from './secrets.ts';
import type { OpenTokens } from './tokens.ts';

export interface AttachmentOptions {
  readonly secrets: Secrets;
  readonly tokens: OpenTokens;
  readonly clock: Clock;
}

export function attachmentOf(auth: Auth, options: AttachmentOptions): Attachment {
  const attachment = readNow(auth, options);
  const files = sourcesOfAuth(auth).filter(({ source }) => 'file' in source);
  // Those of an issuer have a renewal already, which looks at files, too.
  if (attachment.renewal !== undefined || files.length === 0) return attachment;
  const secrets = files.map(({ source }) => options.secrets(source));
  const renewal = fileRenewal(attachment.value, secrets);
  return { ...attachment, renewal: () => renewal };
}

function readNow(auth: Auth, { secrets, tokens, clock }: AttachmentOptions): Attachment {
  const inHeader = { header: 'authorization', prefix: '', account: '' };
  switch (auth.kind) {
    case 'bearer':
      return { ...inHeader, prefix: 'Bearer ', value: valueOf(auth.token, secrets) };
    case 'basic': {
      const user = valueOf(auth.user, secrets);
      const password = valueOf(auth.password, secrets);
      const value = (): string => basicOf(user(), password());
      return { ...inHeader, account: `basic ${user()}`, value };
    }
    case 'apiKey': {
      const value = valueOf(auth.key, secrets);
      if (auth.in === 'header') return { ...inHeader, header: auth.name, value };
      const prefix = `${encodeURIComponent(auth.name)}=`;
      return { ...inHeader, header: undefined, prefix, value: () => encodeURIComponent(value()) };
    }
    case 'clientCredentials': {
      const { source, account } = tokens.open(auth);
      const renewal = tokenRenewal(source, clock);
      const value = (): string => source.text();
      const own = { tokens: () => source, renewal: () => renewal };
      return { ...inHeader, prefix: 'Bearer ', account, value, ...own };
    }
    case 'tokenExchange':
      return ofCallers(tokens.openTokenExchange(auth), clock);
    default:
      return auth satisfies never;
  }
}

/** Gives the text as it is now. */
export function valueOf(text: Text, secrets: Secrets): () => string {
  return typeof text === 'string' ? () => text : secrets(text).text;
}
