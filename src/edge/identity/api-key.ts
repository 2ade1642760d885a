/** API keys as text: `id.secret`. */
import { hash, randomBytes } from 'node:crypto';

export interface ApiKey {
  readonly id: string;
  readonly secret: string;
}

const idPattern = '[A-Za-z0-9_-]{1,64}';
const isId = RegExp(`^${idPattern}$`);
/** 256 bits in base64url, as `createSecret` makes them. */
const isKey = RegExp(`^(${idPattern})\\.([A-Za-z0-9_-]{43})$`);

export const keyIdRule = 'letters, digits, - and _, at most 64';

export function isKeyId(id: unknown): id is string {
  return typeof id === 'string' && isId.test(id);
}

/** `undefined` for what `plait key new` would not have made. */
export function readApiKey(text: string): ApiKey | undefined {
  const [, id, secret] = isKey.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** A secret with 256 random bits: nobody can guess it, so its hash need not be slow. */
export function createSecret(): string {
  return randomBytes(32).toString('base64url');
}

export function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
