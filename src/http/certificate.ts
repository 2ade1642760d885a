/** The certificate of the public side, as its files are now, and which clients need one, too. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import type { Clock } from '../clock.ts';
import { toError } from '../errors.ts';
import { onceAMinute } from '../quiet.ts';
import type { Secrets } from '../upstream/credentials/secrets.ts';

export interface CertificateFiles {
  /** The certificate, followed by those between it and its authority, in PEM form. */
  readonly cert: string;
  /** The private key of `cert`, in PEM form, not encrypted. */
  readonly key: string;
  /** The authorities of clients' certificates. Absent: clients are asked for none. */
  readonly clientCa?: string | undefined;
}

export interface CertificateOptions {
  readonly files: CertificateFiles;
  /** Whether a client that shows no certificate is served. */
  readonly clientsMayLackOne: boolean;
  /** Knows the texts of all files. */
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

export interface Certificate {
  /** Whether clients are asked for certificates. */
  readonly asksClients: boolean;
  readonly clientsMayLackOne: boolean;
  /** The texts that the files held at first. */
  readonly first: SecureContextOptions;
  /**
   * Calls `exchange` whenever the files have changed, and can be used; until then, the last ones
   * stay in use, with a warning. The returned function ends that.
   */
  follow(exchange: (now: SecureContextOptions) => void): () => void;
}

/** How often the files are looked at. */
const lookEveryMs = 1_000;

export function openCertificate(options: CertificateOptions): Certificate {
  const { files, clientsMayLackOne, secrets, clock, onWarning } = options;
  const mayWarn = onceAMinute(clock);
  const cert = secrets({ file: files.cert });
  const key = secrets({ file: files.key });
  const clientCa = files.clientCa === undefined ? undefined : secrets({ file: files.clientCa });

  function read(): Texts {
    return { cert: cert.text(), key: key.text(), ca: clientCa?.text() };
  }

  function warnOfValidity(texts: Texts): void {
    const problem = validityProblem(texts.cert, clock.epoch());
    if (problem !== undefined) onWarning(`${files.cert} ${problem}`);
  }

  const first = read();
  warnOfValidity(first);
  return {
    asksClients: clientCa !== undefined,
    clientsMayLackOne,
    first: contextOf(first),
    follow(exchange) {
      let inUse = first;
      let seen = first;

      function look(): void {
        const now = read();
        const hasSettled = isSame(now, seen);
        seen = now;
        if (isSame(now, inUse)) return;
        const problem = pairProblem(now, files);
        if (problem === undefined) {
          exchange(contextOf(now));
          inUse = now;
          warnOfValidity(now);
        } else if (hasSettled && mayWarn()) {
          // At the first look, only one of two files may have been written yet.
          onWarning(`${problem}. The last ones stay in use.`);
        }
      }

      return every(clock, look);
    },
  };
}

/** The texts of one moment, in PEM form. */
interface Texts {
  readonly cert: string;
  readonly key: string;
  /** The authorities of clients' certificates. */
  readonly ca: string | undefined;
}

function isSame(one: Texts, other: Texts): boolean {
  return one.cert === other.cert && one.key === other.key && one.ca === other.ca;
}

/** TLS 1.0 and 1.1 must not be used any more (RFC 8996). */
function contextOf(texts: Texts): SecureContextOptions {
  return { ...texts, minVersion: 'TLSv1.2' };
}

/** Why the texts of the files cannot be used together, as a sentence without its full stop. */
export function pairProblem(texts: Texts, { cert, key }: CertificateFiles): string | undefined {
  try {
    createSecureContext(contextOf(texts));
    return undefined;
  } catch (error) {
    // Its message may quote a part of them.
    const { code = 'unknown' } = toError(error) as NodeJS.ErrnoException;
    if (code.endsWith('_MISMATCH')) return `${key} is not the key of the certificate in ${cert}`;
    return `${cert} and ${key} cannot be used (${code})`;
  }
}

/** The rest of a sentence about a certificate that clients do not accept at that time. */
function validityProblem(cert: string, epoch: number): string | undefined {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  if (epoch > validToDate.getTime()) return `expired on ${validToDate.toISOString()}`;
  if (epoch >= validFromDate.getTime()) return undefined;
  return `is not valid before ${validFromDate.toISOString()}`;
}

function every(clock: Clock, task: () => void): () => void {
  let cancel = clock.after(lookEveryMs, function again() {
    task();
    cancel = clock.after(lookEveryMs, again);
  });
  return () => cancel();
}
