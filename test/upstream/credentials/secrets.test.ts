import { mkdtempSync, rmSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readSecrets } from '../../../src/upstream/credentials/secrets.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

function secretFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'plait-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'key');
  writeFileSync(file, text);
  return file;
}

/** Replaces a file as mounts of secrets do. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

function open(text: string) {
  const file = secretFile(text);
  const clock = createFakeClock();
  const warnings: string[] = [];
  const { open: openAll } = readSecrets([{ source: { file }, carriedBy: 'header' }], {});
  const secret = openAll({ clock, onWarning: (message) => warnings.push(message) })({ file });
  return { file, clock, warnings, secret };
}

describe('sources at start-up', () => {
  it.each([
    [{}, 'KEY is not set.'],
    [{ KEY: ' ' }, 'KEY is not set.'],
    [{ KEY: 'canary\n' }, 'KEY has a character that a header cannot carry, at position 7.'],
    [{ KEY: 'cänary' }, 'KEY has a character that a header cannot carry, at position 2.'],
  ])('are judged by what carries them: %j', (environment, problem) => {
    const { problems } = readSecrets(
      [{ source: { env: 'KEY' }, carriedBy: 'header' }],
      environment,
    );
    expect(problems).toEqual([problem]);
  });

  it('are named, each once, whether variable or file', () => {
    const file = join(tmpdir(), 'plait-no-such-file');
    const uses = [{ file }, { env: 'A' }, { env: 'A' }, { env: 'B' }].map((source) => ({
      source,
      carriedBy: 'text' as const,
    }));
    const { problems } = readSecrets(uses, { B: 'ü' });
    expect(problems).toEqual([`${file} cannot be read (ENOENT).`, 'A is not set.']);
  });

  it('take a user name without a colon only', () => {
    const { problems } = readSecrets([{ source: { env: 'U' }, carriedBy: 'user' }], { U: 'a:b' });
    expect(problems).toEqual(['U has a colon, which ends a user name.']);
  });

  it('lose one line end, as an editor adds it', () => {
    expect(open('one\n').secret.text()).toBe('one');
    expect(open('one\r\n').secret.text()).toBe('one');
    const { problems } = readSecrets(
      [{ source: { file: secretFile('one\n\n') }, carriedBy: 'header' }],
      {},
    );
    expect(problems).toHaveLength(1);
  });
});

describe('a file', () => {
  it('is read again when it has changed, a second later at the earliest', async () => {
    const { file, clock, secret } = open('one');
    replace(file, 'second');
    clock.advance(999);
    expect(secret.text()).toBe('one');
    clock.advance(1);
    await vi.waitFor(() => expect(secret.text()).toBe('second'));
  });

  it('is looked at at once when it is doubted', async () => {
    const { file, secret } = open('one');
    replace(file, 'second');
    await secret.lookAgain();
    expect(secret.text()).toBe('second');
  });

  it('is looked at anew although a look is under way', async () => {
    const { file, clock, secret } = open('one');
    clock.advance(1_000);
    secret.text();
    replace(file, 'second');
    await secret.lookAgain();
    expect(secret.text()).toBe('second');
  });

  it.each(['', 'a\nb', ' '])(
    'keeps its last content when it becomes %j, and warns',
    async (text) => {
      const { file, secret, warnings, clock } = open('one');
      replace(file, text);
      await secret.lookAgain();
      expect(secret.text()).toBe('one');
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/key (?:is empty|has a char).* Its last content stays in use\.$/);
      await secret.lookAgain();
      expect(warnings).toHaveLength(1);
      clock.advance(60_000);
      await secret.lookAgain();
      expect(warnings).toHaveLength(2);
    },
  );

  it('keeps its last content when it is removed, and takes it up again', async () => {
    const { file, secret, warnings } = open('one');
    rmSync(file);
    await secret.lookAgain();
    expect(secret.text()).toBe('one');
    expect(warnings).toEqual([`${file} cannot be read (ENOENT). Its last content stays in use.`]);
    writeFileSync(file, 'back');
    await secret.lookAgain();
    expect(secret.text()).toBe('back');
  });
});

describe('a secret', () => {
  it('is in nothing that can be printed', () => {
    const source = { env: 'KEY' };
    const read = readSecrets([{ source, carriedBy: 'header' }], { KEY: 'canary' });
    const secrets = read.open({ clock: createFakeClock(), onWarning: () => undefined });
    const shown = inspect([read, secrets, secrets(source)], { depth: Infinity, showHidden: true });
    expect(shown).not.toContain('canary');
    expect(JSON.stringify([read, secrets(source)])).not.toContain('canary');
  });

  it('that was not read is named', () => {
    const secrets = readSecrets([], {}).open({
      clock: createFakeClock(),
      onWarning: () => undefined,
    });
    expect(() => secrets({ env: 'KEY' })).toThrow(
      'KEY was not read. Read the settings by parseSettings, and pass the secrets of openParts on.',
    );
  });
});
