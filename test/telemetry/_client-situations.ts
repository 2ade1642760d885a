/** Situations that begin with a client or with the gateway itself, and not with a service. */
import {
  call,
  clientCredentials,
  defineComposition,
  defineGateway,
  map,
  operation,
  verifyJwt,
} from 'plait';
import type { Composition, Service } from 'plait';
import { z } from 'zod';
import { parseRoute } from '../../src/dsl/route.ts';
import { partIn } from './_shop-operations.ts';
import type { Situation } from './_stage.ts';

const value = { value: 'A' };

const customers = verifyJwt({
  issuer: 'https://id.example.com',
  audience: 'shop',
  keys: { url: 'http://127.0.0.1:9/keys' },
});

const limited = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    rateLimit: { limit: 1, windowS: 60, by: 'address' },
    compose: ({ params: { name } }) => ({ part: call(partIn(shop), { name }) }),
  });

const forCustomers = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    auth: [customers],
    compose: ({ params: { name } }) => ({ part: call(partIn(shop), { name }) }),
  });

const writing = (shop: Service): Composition => {
  const write = operation(shop, {
    name: 'write',
    route: 'POST /writes/:name',
    response: z.object({ value: z.string() }),
  });
  return defineComposition({
    route: 'POST /shop/:name',
    compose: ({ params: { name } }) => ({ part: call(write, { name }) }),
  });
};

const throwing = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    compose: ({ params: { name } }) => ({
      part: map(call(partIn(shop), { name }), ({ value: text }) => {
        throw new TypeError(`not a number: ${text}`);
      }),
    }),
  });

const mismatching = (shop: Service): Composition =>
  defineComposition({
    route: 'GET /shop/:name',
    response: z.object({ part: z.object({ value: z.string().startsWith('B') }) }),
    compose: ({ params: { name } }) => ({ part: call(partIn(shop), { name }) }),
  });

/** What the service answers is not to blame. */
const answeredFor =
  (compose: (shop: Service) => Composition): Situation =>
  async ({ start }) => {
    const { ask, upstream } = await start({ compose });
    const asked = ask('a');
    await upstream.answer('GET /parts/a', value);
    await asked.answer;
    return [asked];
  };

/** Signed by a key that nobody knows. */
const token = ['{"alg":"ES256","kid":"1"}', '{"iss":"https://id.example.com","aud":"shop"}', 'x']
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');

const ofIssuer = clientCredentials({
  tokenUrl: { env: 'TOKEN_URL' },
  clientId: 'gateway',
  clientSecret: { env: 'SECRET' },
});

/** By the name of the file that shows it. */
export const clientSituations: Readonly<Record<string, Situation>> = {
  async 'rate-limited'({ start }) {
    const { ask, upstream } = await start({ compose: limited });
    upstream.answerAll(() => value);
    await ask('a').answer;
    const asked = ask('a');
    await asked.answer;
    return [asked];
  },

  async unauthenticated({ start }) {
    const definition = defineGateway({ authenticators: [customers] });
    const { ask } = await start({ compose: forCustomers, definition });
    const asked = ask('a');
    await asked.answer;
    return [asked];
  },

  async 'no-token'({ start }) {
    const auth = clientCredentials({
      tokenUrl: 'http://127.0.0.1:9/token',
      clientId: 'gateway',
      clientSecret: { env: 'SECRET' },
    });
    const { ask } = await start({ policies: { auth } });
    const asked = ask('a');
    await asked.answer;
    return [asked];
  },

  async 'issuer-refuses'({ start }) {
    const { ask, upstream } = await start({ policies: { auth: ofIssuer } });
    const asked = ask('a');
    await upstream.answer('POST /token', { error: 'invalid_client' }, 401);
    await asked.answer;
    return [asked];
  },

  async 'slow-issuer'({ start, clock }) {
    const { ask, upstream } = await start({ policies: { auth: ofIssuer } });
    const asked = ask('a');
    const issuer = await upstream.next('POST /token');
    clock.advance(700);
    issuer.answer({ access_token: 'granted-for-an-hour', token_type: 'Bearer', expires_in: 3_600 });
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(30);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },

  async 'too-many-in-progress'({ start }) {
    const { ask, upstream } = await start({ environment: { REQUESTS_IN_PROGRESS: '1' } });
    ask('a');
    await upstream.next('GET /parts/a');
    const asked = ask('b');
    await asked.answer;
    return [asked];
  },

  async 'keys-cannot-be-fetched'({ start }) {
    const definition = defineGateway({ authenticators: [customers] });
    const { ask } = await start({ compose: forCustomers, definition });
    const asked = ask('a', '01', { headers: { authorization: `Bearer ${token}` } });
    await asked.answer;
    return [asked];
  },

  async 'invalid-request'({ start }) {
    const { ask } = await start();
    const asked = ask('a?other=1');
    await asked.answer;
    return [asked];
  },

  'function-throws': answeredFor(throwing),
  'response-mismatch': answeredFor(mismatching),

  async 'composition-not-served'({ start }) {
    const route = parseRoute('GET /shop/:name', 'summary');
    const reason = 'SHOP_URL is not set';
    const { ask } = await start({
      compose: () => defineComposition({ route: 'GET /other', compose: () => ({ ok: true }) }),
      notServed: [{ name: 'summary', route, reason }],
    });
    const asked = ask('a');
    await asked.answer;
    return [asked];
  },

  async 'foreign-trace'({ start, clock }) {
    const { askFromElsewhere, upstream } = await start();
    const asked = askFromElsewhere('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(30);
    arrival.answer(value);
    await asked.answer;
    return [asked];
  },

  async 'cut-off-by-a-stop'({ start, clock }) {
    const { ask, upstream, stop } = await start();
    const asked = ask('a');
    const arrival = await upstream.next('GET /parts/a');
    clock.advance(120);
    await Promise.all([stop(), arrival.abandoned]);
    return [asked];
  },

  async 'write-cut-off-by-a-stop'({ start, clock }) {
    const { ask, upstream, stop } = await start({ compose: writing });
    const asked = ask('a', '01', { method: 'POST' });
    const arrival = await upstream.next('POST /writes/a');
    clock.advance(120);
    // No time is left for the write.
    const timer = setInterval(() => clock.advance(0), 5);
    await Promise.all([stop(), arrival.abandoned]);
    clearInterval(timer);
    return [asked];
  },
};
