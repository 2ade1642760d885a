import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import { createAuthority } from '../support/certificates.ts';

/** Files of certificates, as `cert`, `key`, `otherKey`, `ca`, `text`, `empty` and `missing`. */
function writeFiles(): Record<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'plait-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const authority = createAuthority();
  const { cert, key } = authority.issue('localhost');
  const texts = { cert, key, otherKey: authority.key, ca: authority.cert, text: 'x', empty: '' };
  return Object.fromEntries(
    [...Object.entries(texts), ['missing', undefined] as const].map(([name, text]) => {
      const path = join(folder, name);
      if (text !== undefined) writeFileSync(path, text);
      return [name, path];
    }),
  );
}

type Variable = 'CERT_FILE' | 'KEY_FILE' | 'CLIENT_CA_FILE' | 'CLIENT_CERTIFICATES';
type Row = readonly [set: Partial<Record<Variable, string>>, message: string];

const pair = { CERT_FILE: 'cert', KEY_FILE: 'key' };
const all = { ...pair, CLIENT_CA_FILE: 'ca' };
const rows: readonly Row[] = [
  [{ CERT_FILE: 'cert' }, 'TLS_CERT_FILE is set, but TLS_KEY_FILE is not. Set both, or none.'],
  [{ KEY_FILE: 'key' }, 'TLS_KEY_FILE is set, but TLS_CERT_FILE is not. Set both, or none.'],
  [
    { CLIENT_CA_FILE: 'ca' },
    'TLS_CLIENT_CA_FILE is set, but TLS_CERT_FILE is not. Set both, or none.',
  ],
  [
    { ...pair, CLIENT_CERTIFICATES: 'required' },
    'TLS_CLIENT_CERTIFICATES is set, but TLS_CLIENT_CA_FILE is not. Set both, or none.',
  ],
  [
    { ...all, CLIENT_CERTIFICATES: 'welcome' },
    'TLS_CLIENT_CERTIFICATES is "welcome". Use required or requested.',
  ],
  [{ ...pair, CERT_FILE: 'missing' }, 'TLS_CERT_FILE: <missing> cannot be read (ENOENT).'],
  [{ ...pair, KEY_FILE: 'missing' }, 'TLS_KEY_FILE: <missing> cannot be read (ENOENT).'],
  [{ ...all, CLIENT_CA_FILE: 'missing' }, 'TLS_CLIENT_CA_FILE: <missing> cannot be read (ENOENT).'],
  [{ ...pair, CERT_FILE: 'empty' }, 'TLS_CERT_FILE: <empty> is empty.'],
  [{ ...pair, CERT_FILE: 'text' }, 'TLS_CERT_FILE: <text> is not a certificate in PEM form.'],
  [
    { ...pair, KEY_FILE: 'text' },
    'TLS_KEY_FILE: <text> is not a private key in PEM form, or is encrypted.',
  ],
  [
    { ...all, CLIENT_CA_FILE: 'key' },
    'TLS_CLIENT_CA_FILE: <key> is not a certificate in PEM form.',
  ],
  [
    { ...pair, KEY_FILE: 'otherKey' },
    'TLS_KEY_FILE: <otherKey> is not the key of the certificate in <cert>.',
  ],
];

describe('the certificate of the gateway', () => {
  it.each(rows)('%j is refused: %s', (set, message) => {
    const files = writeFiles();
    expect(() => parseSettings(variablesOf(set, files), [])).toThrow(
      new ConfigurationError(message.replace(/<(\w+)>/g, (_, name: string) => files[name] ?? '')),
    );
  });

  it('is reported with everything else that is wrong', () => {
    const environment = { PORT: 'x', TLS_CERT_FILE: '/nowhere', TLS_KEY_FILE: '/nothing' };
    expect(() => parseSettings(environment, [])).toThrow(
      new ConfigurationError(
        [
          'PORT is "x". Use a whole number from 0 to 65535.',
          'TLS_CERT_FILE: /nowhere cannot be read (ENOENT).',
          'TLS_KEY_FILE: /nothing cannot be read (ENOENT).',
        ].join('\n'),
      ),
    );
  });

  it('is none by default, and no client needs one if there is', () => {
    const { server, edge } = parseSettings({}, []);
    expect([server.tls, edge.isSecure]).toEqual([undefined, undefined]);
    const files = writeFiles();
    const read = (set: Row[0]) => parseSettings(variablesOf(set, files), []).server.tls;
    expect(read(pair)).toMatchObject({ files: { clientCa: undefined } });
    expect(read(all)).toMatchObject({ files: { clientCa: files['ca'] }, clientsMayLackOne: false });
    const requested = { ...all, CLIENT_CERTIFICATES: 'requested' };
    expect(read(requested)).toMatchObject({ clientsMayLackOne: true });
  });

  it('has browsers keep to TLS, but not in development: localhost is for many projects', () => {
    const environment = variablesOf(pair, writeFiles());
    const isSecure = (NODE_ENV: string) =>
      parseSettings({ ...environment, NODE_ENV }, []).edge.isSecure;
    expect([isSecure('production'), isSecure('development')]).toEqual([true, undefined]);
  });
});

function variablesOf(set: Row[0], files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(set).map(([name, text]) => [`TLS_${name}`, files[text] ?? text]),
  );
}
