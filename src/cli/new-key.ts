/** `plait key new`: makes an API key, and the entry for the list of keys. */
import { createSecret, digestOf, isKeyId, keyIdRule } from '../edge/identity/api-key.ts';
import { readKeyList } from '../edge/identity/api-key-list.ts';
import { ConfigurationError } from '../errors.ts';
import { splitList } from '../url.ts';

export interface NewKeyOptions {
  readonly id: string;
  readonly owner?: string | undefined;
  /** Separated by commas. */
  readonly scopes?: string | undefined;
  readonly roles?: string | undefined;
  /** After how many days it ends; 0: never. */
  readonly days: string;
}

/**
 * Prints the key and the entry on stdout, and what to do with them on stderr.
 *
 * @throws ConfigurationError for an option that cannot be used.
 */
export function newKey(options: NewKeyOptions): void {
  const { id } = options;
  if (!isKeyId(id))
    throw new ConfigurationError(`The id is not usable. Use ${keyIdRule}, as in "acme".`);
  const secret = createSecret();
  const entry = entryOf(options, digestOf(secret).toString('hex'));
  console.error('The key, for its owner. It is not stored anywhere and cannot be shown again:');
  console.log(`${id}.${secret}`);
  console.error('Its entry for the list of keys, which has a hash of the secret only:');
  console.log(JSON.stringify(entry, null, 2));
}

function entryOf({ id, owner, scopes, roles, days }: NewKeyOptions, sha256: string): object {
  const entry = {
    id,
    sha256,
    ...(owner !== undefined && { owner }),
    ...(scopes !== undefined && { scopes: splitList(scopes) }),
    ...(roles !== undefined && { roles: splitList(roles) }),
    ...expiryOf(days),
  };
  const { problem } = readKeyList(JSON.stringify({ keys: [entry] }));
  if (problem === undefined) return entry;
  throw new ConfigurationError(`The entry ${problem.replace(' in keys[0]', '')}.`);
}

const longestDays = 36_500;

function expiryOf(days: string): { readonly expires?: string } {
  const count = Number(days);
  if (!/^\d+$/.test(days) || count > longestDays)
    throw new ConfigurationError(
      `--days is ${JSON.stringify(days)}. Use a whole number of at most ${longestDays}; 0: never.`,
    );
  if (count === 0) return {};
  return { expires: new Date(Date.now() + count * 86_400_000).toISOString() };
}
