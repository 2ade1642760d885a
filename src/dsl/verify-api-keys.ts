/** `verifyApiKeys`: takes API keys. Data only; `edge/identity/api-keys` verifies. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';
import { apiKeyHeaders, toAuthenticator } from './authenticators.ts';
import type { ApiKeyAuthenticator, ApiKeyClaims, ApiKeyHeader } from './authenticators.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { checkedSecret } from './source.ts';
import type { Source } from './source.ts';

export interface ApiKeysConfig {
  /** The header that a key comes in. Default `x-api-key`. */
  readonly header?: ApiKeyHeader;
}

const claims: z.ZodType<ApiKeyClaims> = z.object({
  sub: z.string(),
  owner: z.string().optional(),
});

/**
 * Takes API keys as `plait key new` makes them, `id.secret`. `list` is the file that has their ids
 * and the SHA-256 of their secrets, or the variable that holds the same; a file is read again when
 * it changes.
 *
 * @example
 * export const partners = verifyApiKeys({ file: '/run/secrets/api-keys.json' });
 *
 * @throws CompositionError when the list is no source, or an option cannot be used.
 */
export function verifyApiKeys(list: Source, config: ApiKeysConfig = {}): ApiKeyAuthenticator {
  const place = 'verifyApiKeys()';
  const source = checkedSecret(list, 'the list of keys', place);
  refuseUnknownKnobs(config, ['header'], place);
  const { header = 'x-api-key' } = config;
  if (!apiKeyHeaders.includes(header))
    throw new CompositionError(
      place,
      `header is ${shownValue(header)}. Use one that is known to be secret and so never logged: ` +
        `${apiKeyHeaders.join(', ')}.`,
    );
  return toAuthenticator({ kind: 'apiKeys', list: source, header, claims });
}
