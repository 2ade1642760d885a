import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../../src/dsl/declare-lookup.ts';
import type { Operation } from '../../../src/dsl/operation.ts';
import type { Dispatch, Send } from '../../../src/upstream/call.ts';
import { callError } from '../../../src/upstream/call.ts';
import { batch } from '../../../src/upstream/sharing/batch.ts';
import { keyOf } from '../../../src/upstream/sharing/key.ts';
import { openLoad } from '../../../src/upstream/sharing/open-load.ts';
import { createFakeClock } from '../../support/fake-clock.ts';
import { assertProperty } from '../../support/property.ts';
import { callOf, nowhere, ok, turn } from '../../support/upstream-calls.ts';

/** A client: its keys, when it comes, and when its request is over, in turns of the event loop. */
interface Visit {
  readonly keys: readonly string[];
  readonly comes: number;
  readonly leaves: number | undefined;
  readonly hasMs: number;
}

const key = fc.constantFrom(
  'a',
  'b',
  'c',
  'd',
  'e',
  'rare',
  'long-'.padEnd(60, 'x'),
  'bad1',
  'bad2',
);
const visit: fc.Arbitrary<Visit> = fc.record({
  keys: fc.uniqueArray(key, { minLength: 1, maxLength: 4 }),
  comes: fc.nat(6),
  leaves: fc.option(fc.nat(8), { nil: undefined }),
  hasMs: fc.constantFrom(100, 500, 2_000),
});

/** The limits of a lookup and its service, and what the service rejects. */
interface Rules {
  readonly rejection: number;
  readonly max: number;
  readonly bytes: number;
  readonly most: number;
  readonly style: 'by' | 'key' | 'position' | 'compound' | 'caseless';
}

const rules: fc.Arbitrary<Rules> = fc.record({
  rejection: fc.constantFrom(400, 403, 422),
  max: fc.constantFrom(2, 5, 100),
  bytes: fc.constantFrom(120, 7_168),
  most: fc.constantFrom(4, 100),
  style: fc.constantFrom('by', 'key', 'position', 'compound', 'caseless'),
});

function lookupOf({ max, bytes, style }: Rules): Operation {
  const isCompound = style === 'compound';
  return lookup(nowhere, {
    route: 'GET /items',
    keys: { query: 'ids', ...(isCompound && { join: '~' }) },
    by: isCompound ? ['shop', 'id'] : 'id',
    item: z.object({ id: z.string(), shop: z.string() }).partial({ shop: true }),
    match: style === 'key' || style === 'position' ? style : 'by',
    compare: style === 'caseless' ? 'caseless' : 'exact',
    max,
    maxRequestLineBytes: bytes,
  });
}

/** The key as this client writes it. */
function keyFor(one: string, style: Rules['style'], client: number): unknown {
  if (style === 'compound') return ['s', one];
  return style === 'caseless' && client % 2 === 1 ? one.toUpperCase() : one;
}

function bareKey(sent: string): string {
  return sent.replace(/^s~/, '').toLowerCase();
}

/** The answer to keys, of which one that is rare has no item. */
function valueOf(keys: readonly string[], style: Rules['style']): unknown {
  const itemOf = (id: string) => ({ id, ...(style === 'compound' && { shop: 's' }) });
  if (style === 'position') return keys.map((id) => (id === 'rare' ? null : itemOf(id)));
  const known = keys.filter((one) => one !== 'rare');
  if (style !== 'key') return known.map(itemOf);
  return Object.fromEntries(known.map((id) => [id, itemOf(id)]));
}

/** Lets clients visit a service which rejects bad keys, and more keys at once than it takes. */
async function receive(visits: readonly Visit[], rule: Rules) {
  const { rejection, most, style } = rule;
  const own = lookupOf(rule);
  let sent = 0;
  let bound = 0;
  const send: Send<Dispatch> = async (dispatch) => {
    sent += 1;
    if (!dispatch.isPatient) bound += 1;
    await turn();
    await turn();
    const keys = (dispatch.keys ?? []).map((one) => bareKey(String(one)));
    const waiting = new Set(dispatch.callers.waiting().map(({ caller }) => caller));
    if (!dispatch.isPatient) bound += waiting.size + Math.sqrt(waiting.size);
    dispatch.signal.throwIfAborted();
    const status = keys.length > most ? 414 : rejection;
    if (keys.length > most || keys.some((one) => one.startsWith('bad')))
      throw callError(dispatch, 'status', `answered ${status}`, { status });
    return { ...ok, value: valueOf(keys, style) };
  };
  const sendLoad = batch(createFakeClock(), send, { withdraw: () => true });
  const got = await Promise.all(
    visits.map(async ({ keys: bare, comes, leaves, hasMs }, at) => {
      const keys = bare.map((one) => keyFor(one, style, at));
      // oxlint-disable-next-line no-await-in-loop -- one turn after the other
      for (let waited = 0; waited < comes; waited += 1) await turn();
      const client = new AbortController();
      const call = callOf(own, {}, { signal: client.signal, deadlineAt: hasMs });
      const load = openLoad(
        { call: { ...call, key: keyOf(call) }, keys, failsAtOnce: false },
        sendLoad,
      );
      void leave(client, leaves);
      const { values, failures } = await load.done;
      return values.map((value, index) => failures?.get(index) ?? value);
    }),
  );
  return { got, sent, bound };
}

async function leave(client: AbortController, after: number | undefined): Promise<void> {
  if (after === undefined) return;
  // oxlint-disable-next-line no-await-in-loop -- one turn after the other
  for (let waited = 0; waited < after; waited += 1) await turn();
  client.abort(new Error('gone'));
}

describe('what a client gets from a shared call', () => {
  it('is what it would have got alone, whoever comes, leaves or asks for bad keys beside it', async () => {
    await assertProperty(
      fc.asyncProperty(
        fc.array(visit, { minLength: 1, maxLength: 14 }),
        rules,
        async (visits, service) => {
          const { got, sent, bound } = await receive(visits, service);
          for (const [at, { keys, leaves }] of visits.entries()) {
            const isInnocent = !keys.some((one) => one.startsWith('bad'));
            for (const [index, one] of keys.entries()) {
              const shop = service.style === 'compound' && { shop: 's' };
              const answer = one === 'rare' ? null : { id: one, ...shop };
              const status = expect.objectContaining({ kind: 'status' });
              const may = [
                ...(one.startsWith('bad') ? [] : [answer]),
                ...(isInnocent ? [] : [status]),
                ...(leaves === undefined ? [] : [new Error('gone')]),
              ];
              expect(may).toContainEqual(got[at]?.[index]);
            }
          }
          expect(sent).toBeLessThanOrEqual(bound);
          // One that needs several requests on its own may find its keys in others beside neighbours.
          if (service.max < 4 || service.bytes < 7_168) return;
          const stay = visits.map((one) => ({ ...one, leaves: undefined }));
          const alone = await Promise.all(stay.map((one) => receive([one], service)));
          const together = await receive(stay, service);
          expect(together.got).toEqual(alone.flatMap((one) => one.got));
        },
      ),
      { full: 2_000 },
    );
  });
});
