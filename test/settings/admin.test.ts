import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { atStart } from '../../src/settings/sources.ts';
import { openToken } from '../../src/settings/admin.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { folderWith } from '../support/folder.ts';

const token = 'canary-'.repeat(6);
const advice = 'at least 32 random characters, as `openssl rand -hex 32` prints them.';

function admin(variables: Record<string, string>) {
  return parseSettings(variables, []).server.admin;
}

describe('the management side', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost'])(
    'needs no token at %s, which only this machine can reach',
    (host) => expect(admin({ ADMIN_HOST: host })).toMatchObject({ host, token: undefined }),
  );

  it.each(['0.0.0.0', '::', '10.0.0.7', '128.0.0.1', 'gateway.internal', 'localhost.example'])(
    'needs a token at %s, which other machines can reach',
    (host) =>
      expect(() => admin({ ADMIN_HOST: host })).toThrow(
        `ADMIN_HOST is "${host}", which other machines can reach, but ADMIN_TOKEN is not set. ` +
          `Set it, or ADMIN_TOKEN_FILE, to ${advice}`,
      ),
  );

  it('takes its token from a variable', () => {
    const read = admin({ ADMIN_HOST: '0.0.0.0', ADMIN_TOKEN: token });
    expect(read.token && openToken(read.token, atStart)()).toBe(token);
    expect(JSON.stringify(read)).not.toContain('canary');
  });

  it('takes its token from a file, without the end of its line', async () => {
    const folder = await folderWith({ token: `${token}\n` });
    const read = admin({ ADMIN_HOST: '::', ADMIN_TOKEN_FILE: `${folder}/token` });
    expect(read.token && openToken(read.token, atStart)()).toBe(token);
  });

  it('takes a new token of its file at once, and the old one no more', async () => {
    const folder = await folderWith({ token: `${token}\n` });
    const read = admin({ ADMIN_TOKEN_FILE: `${folder}/token` });
    const clock = createFakeClock();
    const tokenNow = read.token && openToken(read.token, { ...atStart, clock });
    const other = 'other-'.repeat(6);
    await writeFile(`${folder}/token`, `${other}\n`);
    await clock.advance(1_000);
    expect(await tokenNow?.()).toBe(other);
  });

  it.each([token.slice(0, 31), `${token} ${token}`, `${token}é`, `${token}"`])(
    'refuses the token %j, and does not repeat it',
    (text) => {
      let message = '';
      try {
        admin({ ADMIN_TOKEN: text });
      } catch (error) {
        message = String(error);
      }
      expect(message).toBe(`ConfigurationError: ADMIN_TOKEN is not a token. Use ${advice}`);
    },
  );

  it('names a file that cannot be read, or holds no token', async () => {
    const folder = await folderWith({ token: 'short' });
    expect(() => admin({ ADMIN_TOKEN_FILE: `${folder}/none` })).toThrow(
      `ADMIN_TOKEN_FILE: ${folder}/none cannot be read (ENOENT).`,
    );
    expect(() => admin({ ADMIN_TOKEN_FILE: `${folder}/token` })).toThrow(
      `ADMIN_TOKEN_FILE: ${folder}/token is not a token. Use ${advice}`,
    );
  });

  it('has one token', () => {
    expect(() => admin({ ADMIN_TOKEN: token, ADMIN_TOKEN_FILE: '/run/token' })).toThrow(
      'ADMIN_TOKEN and ADMIN_TOKEN_FILE are set. Set one of them.',
    );
  });
});
