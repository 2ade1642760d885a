import { describe, expect, it } from 'vitest';
import { adminOf, run, runMocks, shipped } from '../support/processes.ts';
import { startServer } from '../support/servers.ts';

/** A gateway without a service of payments. */
async function startGateway(environment: Record<string, string> = {}) {
  const gateway = run('bin/plait.js', ['start', ...shipped], {
    ...(await runMocks()),
    PAYMENTS_URL: 'http://127.0.0.1:9',
    PORT: '0',
    HOST: '127.0.0.1',
    SHUTDOWN_DELAY_MS: '0',
    LOG_LEVEL: 'error',
    ...environment,
  });
  const url = await gateway.ready;
  return { url, admin: adminOf(gateway) };
}

async function upstreams(admin: string, ...args: string[]) {
  const program = run('bin/plait.js', ['upstreams', ...args, '--admin', admin], {});
  const code = await program.exitCode;
  return { code, lines: program.lines, errors: program.errors().trim() };
}

describe('plait upstreams', () => {
  it('shows which service is dead, why, and in which trace', async () => {
    const { url, admin } = await startGateway();
    const response = await fetch(`${url}/orders/ord_1001/summary`);
    await response.text();
    const { code, lines, errors } = await upstreams(admin);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    const [head, ...rows] = lines;
    expect(head).toMatch(/^ +service +state +attempts +failed .* in flight$/);
    const rowOf = (name: string) => rows.find((row) => row.slice(3).startsWith(name));
    expect(rowOf('payments')).toMatch(
      /^✗ {2}payments +breaker closed +[12] +[12] \(100 %\) .* \d$/,
    );
    expect(rowOf('  last error')).toMatch(
      /: connect ECONNREFUSED payments\.\w+ \d+ s ago, trace [\da-f]{32}$/,
    );
    expect(rowOf('  127.0.0.1:9')).toMatch(/ used /);
    expect(rowOf('orders')).toMatch(/^✓ {2}orders +breaker closed +1 +0 +0 +[\d.]+ ms/);
  });

  it('prints JSON with --json', async () => {
    const { admin } = await startGateway();
    const { lines } = await upstreams(admin, '--json');
    const answer = await fetch(`${admin}/upstreams`).then((response) => response.json());
    expect(JSON.parse(lines.join('\n'))).toEqual(answer);
  });

  it('sends the token of its environment, without which a gateway that has one says nothing', async () => {
    const token = { ADMIN_TOKEN: 'canary-'.repeat(5) };
    const { admin } = await startGateway({ ...token, ADMIN_HOST: '0.0.0.0', ADMIN_PORT: '0' });
    const near = admin.replace('0.0.0.0', '127.0.0.1');
    const refused = await upstreams(near);
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain(
      `The gateway at ${near}/upstreams wants a token. Set ADMIN_TOKEN, or ADMIN_TOKEN_FILE, ` +
        'as for the gateway.',
    );
    const other = { ADMIN_TOKEN: 'another-'.repeat(5) };
    const wrong = run('bin/plait.js', ['upstreams', '--admin', near], other);
    expect(await wrong.exitCode).toBe(1);
    expect(wrong.errors()).toContain(`${near}/upstreams does not take this token. Set ADMIN_TOKEN`);
    const program = run('bin/plait.js', ['upstreams', '--admin', near], token);
    expect([await program.exitCode, program.errors()]).toEqual([0, '']);
    expect(program.lines.join('\n')).toContain('payments');
  });

  it('takes a token that is blank for none, as the gateway does', async () => {
    const blank = { ADMIN_TOKEN: '', ADMIN_TOKEN_FILE: ' ' };
    const { admin } = await startGateway(blank);
    const program = run('bin/plait.js', ['upstreams', '--admin', admin], blank);
    expect([await program.exitCode, program.errors()]).toEqual([0, '']);
  });

  it('says when no gateway listens at the address, or something else does', async () => {
    const absent = await upstreams('http://127.0.0.1:9');
    expect(absent.errors).toMatch(/^No gateway answers at http:\/\/127\.0\.0\.1:9\/upstreams\./);
    expect(absent.code).toBe(1);
    const { url } = await startServer((_, response) => void response.end('<html>'));
    const { code, errors } = await upstreams(url);
    expect({ code, errors }).toEqual({
      code: 1,
      errors: `The server at ${url}/upstreams is not a Plait gateway. Name its management side with --admin.`,
    });
  });
});
