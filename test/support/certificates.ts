/** Certificates for tests, made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface Authority extends Certificate {
  /** A certificate for a host, or for a client of that name; with `days` below 0 it has expired. */
  issue(name: string, days?: number): Certificate;
}

/** A certificate authority, whose files are gone after the test. */
export function createAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'plait-ca-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const openssl = (command: string): void => {
    execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'ignore' });
  };
  const read = (name: string): Certificate => ({
    cert: readFileSync(path(`${name}.crt`), 'utf8'),
    key: readFileSync(path(`${name}.key`), 'utf8'),
  });
  const fresh = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  openssl(`req -x509 ${fresh} -days 2 -keyout ca.key -out ca.crt -subj /CN=test-ca`);
  return {
    ...read('ca'),
    issue(name, days = 2) {
      writeFileSync(path(`${name}.ext`), `subjectAltName=DNS:${name}`);
      openssl(`req ${fresh} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`);
      const by = '-CA ca.crt -CAkey ca.key -CAcreateserial';
      openssl(
        `x509 -req -in ${name}.csr ${by} -days ${days} -extfile ${name}.ext -out ${name}.crt`,
      );
      return read(name);
    },
  };
}
