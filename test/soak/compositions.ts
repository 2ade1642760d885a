/**
 * The compositions of the soak: a required, an optional and a fallback step and a lookup, each of
 * its own service.
 */
import {
  call,
  defineComposition,
  defineService,
  fallback,
  lookup,
  operation,
  optional,
} from 'plait';
import { z } from 'zod';
import { compileAll } from '../../src/plan/compile.ts';
import type { Plan } from '../../src/plan/plan.ts';

/** All at one address. Their breakers open and close again many times in a soak. */
function service(name: string, forward: readonly string[]) {
  return defineService({
    name,
    url: { env: 'SOAK_URL' },
    forward,
    timeoutMs: 60,
    retry: { minDelayMs: 2, maxDelayMs: 10 },
    breaker: { windowMs: 500, volume: 20, openMs: 40, maxOpenMs: 80 },
  });
}

const Thing = z.object({ id: z.string(), kind: z.string(), notes: z.array(z.string()) });

const orders = service('orders', ['authorization']);
const getOrder = operation(orders, { route: 'GET /orders/:id', response: Thing });
const body = z.object({ note: z.string() });
const addNote = operation(orders, { route: 'POST /orders/:id', body, response: Thing });
const getPayment = operation(service('payments', []), {
  route: 'GET /payments/:id',
  response: Thing,
});
const getOffer = operation(service('offers', []), { route: 'GET /offers/:id', response: Thing });
const parcelOf = lookup(service('parcels', ['authorization']), {
  name: 'parcelOf',
  route: 'GET /parcels',
  keys: { query: 'ids' },
  by: 'id',
  item: Thing,
});

const deadlineMs = 250;

const compositions = {
  read: defineComposition({
    route: 'GET /soak/:id',
    deadlineMs,
    compose: ({ params: { id } }) => ({
      order: call(getOrder, { id }),
      payment: optional(call(getPayment, { id })),
      offer: fallback(call(getOffer, { id }), { id: 'none', kind: 'none', notes: [] }),
      parcel: optional(call(parcelOf, { id })),
    }),
  }),
  write: defineComposition({
    route: 'POST /soak/:id',
    body,
    deadlineMs,
    compose: (input) => ({
      order: call(addNote, { id: input.params.id, body: input.body }),
      payment: optional(call(getPayment, { id: input.params.id })),
    }),
  }),
};

export function soakPlans(): readonly Plan[] {
  const named = Object.entries(compositions).map(([name, composition]) => ({ name, composition }));
  const { plans, errors } = compileAll(named);
  if (errors.length > 0) throw new AggregateError(errors, errors.map(String).join('\n'));
  return plans;
}
