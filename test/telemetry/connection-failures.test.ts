/** Log lines about connections that fail: enough to see whose, and not more than a few. */
import { describe, expect, it } from 'vitest';
import type { FailureReason } from '../../src/http/connection-failures.ts';
import { logFailures } from '../../src/telemetry/connection-failures.ts';
import type { LogFields } from '../../src/telemetry/log.ts';
import { createFakeClock } from '../support/fake-clock.ts';

function start() {
  const clock = createFakeClock();
  const lines: { fields: LogFields; message: string }[] = [];
  const { onConnectionFailure } = logFailures(clock, {
    warn: (fields, message) => void lines.push({ fields, message }),
  });
  const fail = (reason: FailureReason, peer = '192.0.2.1'): void =>
    onConnectionFailure?.({ reason, peer });
  return { clock, lines, fail };
}

describe('a connection that fails', () => {
  it('is a line with its reason and the address of its client', () => {
    const { lines, fail } = start();
    fail('client-certificate-expired');
    expect(lines).toEqual([
      {
        fields: { peer: '192.0.2.1', reason: 'client-certificate-expired', failures: 1 },
        message: 'A connection from 192.0.2.1 has failed: client-certificate-expired',
      },
    ]);
  });

  it('says so where the address of its client is not known any more', () => {
    const { lines, fail } = start();
    fail('http2-error', '');
    expect(lines[0]?.message).toBe('A connection from an unknown address has failed: http2-error');
  });

  it('is one line a minute for each client and reason, with how many there were', () => {
    const { clock, lines, fail } = start();
    for (let count = 0; count < 5; count += 1) fail('plain-http');
    fail('plain-http', '192.0.2.2');
    fail('not-tls');
    clock.advance(60_000);
    fail('plain-http');
    expect(lines.map(({ fields }) => Object.values(fields))).toEqual([
      ['192.0.2.1', 'plain-http', 1],
      ['192.0.2.2', 'plain-http', 5],
      ['192.0.2.1', 'not-tls', 1],
      ['192.0.2.1', 'plain-http', 1],
    ]);
  });

  it('is at most ten lines a minute, from however many addresses, and none is lost', () => {
    const { clock, lines, fail } = start();
    for (let count = 0; count < 200; count += 1) fail('not-tls', `192.0.2.${count}`);
    expect(lines).toHaveLength(10);
    clock.advance(60_000);
    fail('not-tls', '198.51.100.1');
    expect(lines.at(-1)?.fields).toEqual({
      peer: '198.51.100.1',
      reason: 'not-tls',
      failures: 191,
    });
  });

  it('counts the addresses of one client over IPv6 as one', () => {
    const { lines, fail } = start();
    fail('not-tls', '2001:db8::1');
    fail('not-tls', '2001:db8::2');
    expect(lines).toHaveLength(1);
  });
});
