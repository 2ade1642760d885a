/** The list of API keys, as a file or a variable holds it: JSON with hashes of secrets only. */
import { z } from 'zod';
import { parseJson } from '../../json.ts';
import { isKeyId, keyIdRule } from './api-key.ts';

/** A key as the list has it. */
export interface KeyEntry {
  readonly id: string;
  /** The SHA-256 of its secret. */
  readonly digest: Buffer;
  /** When it ends, in milliseconds since 1970; `Infinity`: never. */
  readonly endsAt: number;
  readonly owner: string | undefined;
  readonly scopes: ReadonlySet<string>;
  readonly roles: ReadonlySet<string>;
}

/** A message for each field: none quotes what it has found, which may be a secret. */
const names = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/)).optional();
const entry = z.strictObject({
  id: z.string().refine(isKeyId),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  owner: z.string().min(1).optional(),
  scopes: names,
  roles: names,
  expires: z.iso.datetime({ offset: true }).optional(),
});
const list = z.strictObject({ keys: z.array(entry) });

const listOfNames = 'a list of names without spaces, quotes and backslashes';
const rules: Readonly<Record<string, string>> = {
  id: keyIdRule,
  sha256: 'the SHA-256 of the secret as 64 hexadecimal digits in lower case',
  owner: 'a text',
  scopes: listOfNames,
  roles: listOfNames,
  expires: 'a time, as in "2027-01-31T00:00:00Z"',
};

/** The entries by their ids. `problem`: the rest of a sentence that begins with the source. */
export type ReadKeys =
  | { readonly entries: ReadonlyMap<string, readonly KeyEntry[]>; readonly problem?: undefined }
  | { readonly problem: string };

export function readKeyList(text: string): ReadKeys {
  const json = jsonOf(text);
  if (json === undefined) return { problem: `is not JSON. Write ${example}` };
  const parsed = list.safeParse(json);
  if (!parsed.success) return { problem: problemOf(parsed.error) };
  const entries = new Map<string, readonly KeyEntry[]>();
  for (const [index, one] of parsed.data.keys.entries()) {
    const before = entries.get(one.id) ?? [];
    const added = toEntry(one);
    if (before.some(({ digest }) => digest.equals(added.digest)))
      return { problem: `has a key twice: keys[${index}]. Remove one of them` };
    if (before.length === mostPerId) return { problem: tooMany(one.id) };
    entries.set(one.id, [...before, added]);
  }
  return { entries };
}

/** The one in use, and the one that replaces it. */
export const mostPerId = 2;

const example = '{ "keys": [{ "id": "acme", "sha256": "…" }] }, with entries as of `plait key new`';

function jsonOf(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function problemOf({ issues: [issue] }: z.ZodError): string {
  const [root, index, field] = issue?.path ?? [];
  if (root !== 'keys' || typeof index !== 'number')
    return `is not a list of keys. Write ${example}`;
  const place = `keys[${index}]`;
  if (typeof field !== 'string') {
    const known = Object.keys(rules).join(', ');
    return `has something else in ${place} than ${known}. Write ${example}`;
  }
  return `has no valid ${field} in ${place}. Use ${rules[field]}`;
}

function tooMany(id: string): string {
  return (
    `has more than ${mostPerId} keys with the id "${id}": the one in use, and the one that ` +
    'replaces it. Remove those that have ended'
  );
}

function toEntry({ id, sha256, owner, scopes, roles, expires }: z.infer<typeof entry>): KeyEntry {
  return {
    id,
    digest: Buffer.from(sha256, 'hex'),
    endsAt: expires === undefined ? Infinity : Date.parse(expires),
    owner,
    scopes: new Set(scopes),
    roles: new Set(roles),
  };
}
