import { clientCredentials, tokenExchange } from 'plait';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createTokens } from '../../../src/upstream/credentials/tokens.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

type Own = Pick<Parameters<typeof clientCredentials>[0], 'clientId' | 'scope' | 'audience'>;

function start() {
  const secret = { text: () => 'secret', lookAgain: async () => undefined };
  const tokens = createTokens(() => secret, createFakeClock());
  onTestFinished(() => tokens.close());
  return tokens;
}

const client = (own: Partial<Own>) => ({
  tokenUrl: 'http://127.0.0.1:9/token',
  clientId: 'me',
  clientSecret: { env: 'SECRET' },
  ...own,
});

describe('clients of an issuer', () => {
  it.each<[Partial<Own>, Partial<Own>]>([
    [
      { scope: 'a b', audience: 'c' },
      { scope: 'a', audience: 'b c' },
    ],
    [{ scope: 'a' }, { audience: 'a' }],
    [{ scope: 'a b' }, { scope: 'a', audience: 'b' }],
    [
      { clientId: 'me http://127.0.0.1:9/token', scope: 'a' },
      { scope: 'http://127.0.0.1:9/token a' },
    ],
  ])('share a token only if they ask for the same, not with %j and %j', (one, other) => {
    const tokens = start();
    const [first, second] = [one, other].map((own) => tokens.open(clientCredentials(client(own))));
    expect(first?.source).not.toBe(second?.source);
    expect(first?.account).not.toBe(second?.account);
    expect(tokens.open(clientCredentials(client(one)))).toBe(first);
    const [third, fourth] = [one, other].map((own) =>
      tokens.openTokenExchange(tokenExchange(client(own))),
    );
    expect(third).not.toBe(fourth);
    expect(third?.account).not.toBe(fourth?.account);
  });
});
