import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readKeyList } from '../../src/edge/identity/api-key-list.ts';
import { run } from '../support/processes.ts';

async function newKey(...args: readonly string[]) {
  const program = run('bin/plait.js', ['key', 'new', ...args], {});
  const code = await program.exitCode;
  return { code, lines: program.lines, errors: program.errors() };
}

describe('plait key new', () => {
  it('prints a key once, and the entry for the list, which has its hash only', async () => {
    const options = ['--owner', 'Acme Ltd', '--scopes', 'orders:read,orders:write', '--roles', 'a'];
    const { code, lines, errors } = await newKey('acme', ...options, '--days', '30');
    const [key = '', ...rest] = lines;
    const [, secret = ''] = /^acme\.([\w-]{43})$/.exec(key) ?? [];
    const text = rest.join('\n');
    const entry: Record<string, unknown> = JSON.parse(text);
    expect([code, entry]).toEqual([
      0,
      {
        id: 'acme',
        sha256: createHash('sha256').update(secret).digest('hex'),
        owner: 'Acme Ltd',
        scopes: ['orders:read', 'orders:write'],
        roles: ['a'],
        expires: expect.any(String),
      },
    ]);
    const days = (Date.parse(String(entry['expires'])) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThanOrEqual(30);
    expect(readKeyList(JSON.stringify({ keys: [entry] })).problem).toBeUndefined();
    expect(text + errors).not.toContain(secret);
    expect(errors).toContain('cannot be shown again');
  });

  it('makes another key each time, for a year unless another time is given', async () => {
    const [first, second, never] = await Promise.all([
      newKey('acme'),
      newKey('acme'),
      newKey('acme', '--days', '0'),
    ]);
    expect(first.lines[0]).not.toBe(second.lines[0]);
    const year = new Date(Date.now() + 365 * 86_400_000).toISOString().slice(0, 10);
    expect(first.lines.join()).toContain(`"expires": "${year}`);
    expect(never.lines.join()).not.toContain('expires');
  });

  it.each([
    [['a.b'], 'The id is not usable. Use letters, digits, - and _, at most 64, as in "acme".'],
    [['acme', '--scopes', 'a b'], 'The entry has no valid scopes. Use a list of names without'],
    [['acme', '--owner', ''], '--owner has no value. Write --owner=<name>.'],
    [['acme', '--days', 'ten'], '--days is "ten". Use a whole number of at most 36500; 0: never.'],
    [['acme', '--days', '99999'], '--days is "99999".'],
    [[], 'Missing required positional argument: ID'],
  ])('refuses %j, and prints no key', async (args, message) => {
    const { code, lines, errors } = await newKey(...args);
    expect([code, lines.filter((line) => line.startsWith('acme.'))]).toEqual([1, []]);
    expect(errors).toContain(message);
  });
});
