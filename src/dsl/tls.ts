/** `tls` of a service: a certificate authority of one's own, and a certificate for the gateway. */
import { CompositionError } from '../errors.ts';
import { use } from './credentials.ts';
import type { SourceUse } from './credentials.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { checkedSource } from './source.ts';
import type { Source } from './source.ts';
import { shownValue } from '../shown-value.ts';

export interface TlsConfig {
  /** The authorities that may have signed the service's certificate, instead of the public ones. */
  readonly ca?: Source;
  /** The gateway's certificate, with those between it and its authority. Needs `key`. */
  readonly cert?: Source;
  /** The private key of `cert`, not encrypted. */
  readonly key?: Source;
  /** The name in the service's certificate. Default: the host of the address. */
  readonly serverName?: string;
}

/** Checks the sources, which hold texts in PEM form. */
export function checkedTls(tls: TlsConfig | undefined, place: string): TlsConfig | undefined {
  if (tls === undefined) return undefined;
  refuseUnknownKnobs(tls, ['ca', 'cert', 'key', 'serverName'], place, 'tls');
  const { ca, cert, key, serverName } = tls;
  const [have, need] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
  if ((cert === undefined) !== (key === undefined))
    throw new CompositionError(place, `tls.${have} needs tls.${need}. Give both, or none.`);
  if (ca === undefined && cert === undefined && serverName === undefined)
    throw new CompositionError(place, 'tls is empty. Give ca, cert and key, or serverName.');
  if (serverName !== undefined && !isHostName(serverName)) {
    const found = shownValue(serverName);
    throw new CompositionError(place, `tls.serverName is ${found}. Use a host name.`);
  }
  return Object.freeze({
    ...(ca !== undefined && { ca: checkedSource(ca, 'tls.ca', place) }),
    ...(cert !== undefined && { cert: checkedSource(cert, 'tls.cert', place) }),
    ...(key !== undefined && { key: checkedSource(key, 'tls.key', place) }),
    ...(serverName !== undefined && { serverName }),
  });
}

function isHostName(name: unknown): boolean {
  return typeof name === 'string' && /^[a-z\d](?:[a-z\d.-]{0,251}[a-z\d])?$/i.test(name);
}

/** The sources of `tls`, and how each is used. */
export function sourcesOfTls({ ca, cert, key }: TlsConfig): readonly SourceUse[] {
  return [
    ...(ca ? use(ca, 'certificate') : []),
    ...(cert ? use(cert, 'certificate') : []),
    ...(key ? use(key, 'privateKey') : []),
  ];
}

/** For people: `own CA, client certificate`. */
export function shownTls({ ca, cert, serverName }: TlsConfig): string {
  return [
    ...(ca ? ['own CA'] : []),
    ...(cert ? ['client certificate'] : []),
    ...(serverName === undefined ? [] : [`as ${serverName}`]),
  ].join(', ');
}
