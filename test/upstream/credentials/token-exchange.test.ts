import { describe, expect, it } from 'vitest';
import { createTokenExchange } from '../../../src/upstream/credentials/token-exchange.ts';
import type { Granted } from '../../../src/upstream/credentials/token-request.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** Keeps the tokens for `most` callers. */
function start(most?: number) {
  const asked: string[] = [];
  const waiting: PromiseWithResolvers<Granted>[] = [];
  const exchange = createTokenExchange(
    (subject) => {
      asked.push(subject);
      const answer = Promise.withResolvers<Granted>();
      waiting.push(answer);
      return answer.promise;
    },
    createFakeClock(),
    most,
  );
  async function use(subject: string): Promise<string> {
    const { source } = exchange(subject);
    const renewal = source.ready();
    waiting.at(-1)?.resolve({ token: `for ${subject}`, livesMs: 60_000 });
    await renewal;
    return source.text();
  }
  return { asked, exchange, use, waiting };
}

describe('the tokens for callers', () => {
  it('are kept for those who were here last', async () => {
    const { asked, use } = start(2);
    for (const subject of ['a', 'b', 'a', 'c', 'a', 'b']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      expect(await use(subject)).toBe(`for ${subject}`);
    }
    expect(asked).toEqual(['a', 'b', 'c', 'b']);
  });

  it('stay with a call that has one, although it is no longer kept', async () => {
    const { exchange, use } = start(1);
    await use('a');
    const { source } = exchange('a');
    await use('b');
    expect(source.text()).toBe('for a');
  });

  it('are asked for by a thousand callers at a time, and others fail at once', async () => {
    const { exchange, waiting } = start();
    const flights = Array.from({ length: 1_001 }, (_, index) =>
      exchange(`${index}`).source.ready(),
    );
    await expect(flights.at(-1)).rejects.toThrow('too many tokens are asked for');
    for (const answer of waiting) answer.resolve({ token: 'x', livesMs: undefined });
    await Promise.all(flights.slice(0, -1));
    expect(waiting).toHaveLength(1_000);
  });
});
