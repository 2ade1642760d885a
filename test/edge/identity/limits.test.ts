/** Limits per principal, with real credentials over real sockets. */
import { describe, expect, it } from 'vitest';
import { request } from '../../support/request.ts';
import { from, keyOf, limit, startLimited, times } from './_limited.ts';

const office = '203.0.113.1';
const home = '198.51.100.1';

describe('a limit per principal', () => {
  it('gives two principals behind one address a window each', async () => {
    const { served, tokenOf } = await startLimited([undefined]);
    const [ann, bob] = [from(office, await tokenOf('ann')), from(office, await tokenOf('bob'))];
    expect(await served(times(limit * 2, ann))).toBe(limit);
    expect(await served(times(limit * 2, bob))).toBe(limit);
    expect(await served([ann, bob])).toBe(0);
  });

  it('gives one principal one window, from whichever address and with whichever token', async () => {
    const { served, tokenOf } = await startLimited([undefined]);
    expect(await served(times(3, from(office, await tokenOf('ann'))))).toBe(3);
    expect(await served(times(limit, from(home, await tokenOf('ann'))))).toBe(limit - 3);
  });

  it('takes a subject of another issuer, and an API key, for somebody else', async () => {
    const { served, tokenOf } = await startLimited([undefined]);
    const others = { iss: 'https://other.example.com' };
    expect(await served(times(limit, from(office, await tokenOf('acme'))))).toBe(limit);
    expect(await served(times(limit, from(office, await tokenOf('acme', others))))).toBe(limit);
    expect(await served(times(limit, from(office, keyOf('acme', 'first'))))).toBe(limit);
    // Its other key is the same principal.
    expect(await served([from(home, keyOf('acme', 'second'))])).toBe(0);
    expect(await served([from(office, keyOf('other', 'third'))])).toBe(1);
  });

  it('counts nothing of requests that are denied', async () => {
    const { served, tokenOf, urls } = await startLimited([undefined]);
    const wrong = from(office, keyOf('acme', 'wrong'));
    for (const caller of times(limit * 5, wrong)) {
      const { status, headers } = await request(`${urls[0]}/limited`, caller);
      expect([status, headers.get('ratelimit')]).toEqual([401, null]);
    }
    expect(await served(times(limit, from(office, keyOf('acme', 'first'))))).toBe(limit);
    expect(await served(times(limit, from(office, await tokenOf('ann'))))).toBe(limit);
  });

  it('holds for all routes together where the gateway sets one', async () => {
    const { served, tokenOf } = await startLimited([undefined]);
    const ann = from(office, await tokenOf('ann'));
    expect(await served(times(limit, ann))).toBe(limit);
    expect(await served(times(30, ann), '/free')).toBe(4 * limit - limit);
    expect(await served(times(limit, from(office, await tokenOf('bob'))), '/free')).toBe(limit);
  });
});
