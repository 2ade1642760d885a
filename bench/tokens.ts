/** Tokens (JWT) of an issuer of the bench's own, signed when they are first asked for. */
import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Request } from './load/request-file.ts';

const claims = { iss: 'https://id.bench.example', aud: 'bench' };
const dayS = 86_400;

let pair: { readonly publicKey: KeyObject; readonly privateKey: KeyObject } | undefined;

/** One for all programs and loads. */
function keys() {
  pair ??= generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return pair;
}

/** Writes the public key as a JWK set, and returns the path of the file. */
export async function writeKeySet(folder: string): Promise<string> {
  const file = join(folder, 'jwks.json');
  const key = { ...keys().publicKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' };
  await writeFile(file, JSON.stringify({ keys: [key] }));
  return file;
}

const tokens: string[] = [];

/** The same requests with `count` tokens in turn. */
export function withTokens(requests: readonly Request[], count: number): readonly Request[] {
  while (tokens.length < count) tokens.push(signed(tokens.length));
  return Array.from({ length: Math.max(requests.length, count) }, (_, index) => ({
    path: requests[index % requests.length]?.path ?? '/',
    headers: { authorization: `Bearer ${tokens[index % count]}` },
  }));
}

function signed(index: number): string {
  const exp = Math.floor(Date.now() / 1_000) + dayS;
  const text = [
    { alg: 'ES256', typ: 'JWT' },
    { ...claims, sub: `customer_${index}`, exp },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const key = { key: keys().privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
