/** An address whose certificates may change while the gateway runs. */
import type { Service } from '../../dsl/service.ts';
import type { Tls } from '../credentials/tls.ts';
import { createAddress } from './address.ts';
import type { Address } from './address.ts';

export interface OpenOptions {
  /** Absent: the service has no certificates of its own. */
  readonly tls: Tls | undefined;
  readonly connections?: number | undefined;
}

/** Opens a pool for one address, with the certificates of its service. */
export function openAddress(service: Service, url: URL, options: OpenOptions): Address {
  const { tls, connections } = options;
  return tls === undefined
    ? createAddress(service, url, { connections })
    : createTlsAddress(service, url, { tls, connections });
}

/**
 * Opens a pool with the certificates as they are. After a change, requests go to a new pool, and
 * those on the old one end in peace.
 */
function createTlsAddress(
  service: Service,
  url: URL,
  { tls, connections }: OpenOptions & { readonly tls: Tls },
): Address {
  const open = (): Address => createAddress(service, url, { connections, tls: texts });
  let texts = tls.texts();
  let current = open();
  const old = new Set<Address>();

  function replace(): void {
    const replaced = current;
    current = open();
    old.add(replaced);
    // It rejects if the gateway stops meanwhile, which ends what it waits for.
    replaced
      .close()
      .catch(() => undefined)
      .finally(() => old.delete(replaced));
  }

  return {
    ...current,
    dispatch(request, handler, isNew) {
      const now = tls.texts();
      if (now !== texts) {
        texts = now;
        replace();
      }
      current.dispatch(request, handler, isNew);
    },
    async close() {
      await Promise.all([current, ...old].map((address) => address.close()));
    },
    async destroy() {
      await Promise.all([current, ...old].map((address) => address.destroy()));
    },
  };
}
