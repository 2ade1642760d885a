/** `TLS_CERT_FILE` and its like → the certificate of the public side, or what is wrong with it. */
import { z } from 'zod';
import type { Environment } from '../environment.ts';
import { pairProblem } from '../http/certificate.ts';
import type { CertificateOptions } from '../http/certificate.ts';
import { readSecrets } from '../upstream/credentials/secrets.ts';
import type { NeededSource, ReadSecrets } from '../upstream/credentials/secrets.ts';
import { oneOf } from './kinds.ts';
import { atStart } from './sources.ts';

export const tlsVariables = z.object({
  TLS_CERT_FILE: z.string().optional(),
  TLS_KEY_FILE: z.string().optional(),
  TLS_CLIENT_CA_FILE: z.string().optional(),
  TLS_CLIENT_CERTIFICATES: oneOf(['required', 'requested']).optional(),
});

/** The files, and what opens them. */
export interface TlsSettings extends Pick<CertificateOptions, 'files' | 'clientsMayLackOne'> {
  readonly openSecrets: ReadSecrets['open'];
}

export interface ReadTls {
  /** A line for everything that is wrong. */
  readonly problems: readonly string[];
  /** Absent: TLS is off. */
  readonly tls?: TlsSettings;
}

/** Reads the files once. */
export function readTls(environment: Environment): ReadTls {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: clientCa } = environment;
  const problem = missing(environment);
  if (problem !== undefined) return { problems: [problem] };
  if (cert === undefined || key === undefined) return { problems: [] };
  const uses = {
    TLS_CERT_FILE: { source: { file: cert }, carriedBy: 'certificate' },
    TLS_KEY_FILE: { source: { file: key }, carriedBy: 'privateKey' },
    ...(clientCa !== undefined && {
      TLS_CLIENT_CA_FILE: { source: { file: clientCa }, carriedBy: 'certificate' },
    }),
  } satisfies Record<string, NeededSource>;
  const problems = Object.entries(uses).flatMap(([name, use]) =>
    readSecrets([use], {}).problems.map((line) => `${name}: ${line}`),
  );
  if (problems.length > 0) return { problems };
  const { open } = readSecrets(Object.values(uses), {});
  const secrets = open(atStart);
  const text = (file: string): string => secrets({ file }).text();
  const ca = clientCa === undefined ? undefined : text(clientCa);
  const files = { cert, key, clientCa };
  const unfit = pairProblem({ cert: text(cert), key: text(key), ca }, files);
  if (unfit !== undefined) return { problems: [`TLS_KEY_FILE: ${unfit}.`] };
  const clientsMayLackOne = environment['TLS_CLIENT_CERTIFICATES'] === 'requested';
  return { problems: [], tls: { files, clientsMayLackOne, openSecrets: open } };
}

/** Says that a variable needs another one. */
function missing(environment: Environment): string | undefined {
  const { TLS_CERT_FILE: cert, TLS_KEY_FILE: key, TLS_CLIENT_CA_FILE: clientCa } = environment;
  if (cert === undefined && key !== undefined) return needs('TLS_KEY_FILE', 'TLS_CERT_FILE');
  if (key === undefined && cert !== undefined) return needs('TLS_CERT_FILE', 'TLS_KEY_FILE');
  if (clientCa !== undefined && cert === undefined)
    return needs('TLS_CLIENT_CA_FILE', 'TLS_CERT_FILE');
  if (environment['TLS_CLIENT_CERTIFICATES'] !== undefined && clientCa === undefined)
    return needs('TLS_CLIENT_CERTIFICATES', 'TLS_CLIENT_CA_FILE');
  return undefined;
}

function needs(set: string, unset: string): string {
  return `${set} is set, but ${unset} is not. Set both, or none.`;
}
