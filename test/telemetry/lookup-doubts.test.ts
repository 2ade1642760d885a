import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { lookup } from '../../src/dsl/declare-lookup.ts';
import { operation } from '../../src/dsl/declare-operation.ts';
import type { Operation } from '../../src/dsl/operation.ts';
import type { Attempt, Ending } from '../../src/upstream/call.ts';
import { callError } from '../../src/upstream/call.ts';
import { warnOfDoubts } from '../../src/telemetry/lookup-doubts.ts';
import { createFakeClock } from '../support/fake-clock.ts';
import { dispatchFor, nowhere, unreached } from '../support/upstream-calls.ts';

const item = z.object({ id: z.string() });
const common = { route: 'GET /things', keys: { query: 'ids' }, by: 'id', item } as const;
const thingOf = lookup(nowhere, { name: 'thingOf', ...common });
const maybeOf = lookup(nowhere, { name: 'maybeOf', ...common, missing: 'null' });
const getThing = operation(nowhere, { name: 'getThing', route: 'GET /things/:id', response: item });

/** Attempts that end as one wishes, and the warnings about them. */
function startWarnings() {
  const clock = createFakeClock();
  const warnings: string[] = [];
  const { onAttemptEnd } = warnOfDoubts(clock, (message) => warnings.push(message));
  const end = (own: Operation, ending: Partial<Ending>, times = 1) => {
    for (let time = 0; time < times; time += 1) {
      const attempt: Attempt = {
        ...dispatchFor(own),
        address: unreached,
        beganAt: 0,
        queuedMs: 0,
        tokenMs: 0,
      };
      const complete = {
        failure: undefined,
        status: 200,
        endedAt: 1,
        tookMs: 1,
        announcedMs: undefined,
      };
      onAttemptEnd?.(attempt, { ...complete, ...ending });
    }
  };
  return { clock, warnings, end };
}

function notFound(own: Operation): Partial<Ending> {
  const failure = callError({ operation: own }, 'status', 'answered 404', { status: 404 });
  return { failure, status: undefined };
}

describe('a doubtful answer', () => {
  it.each(['unmatched', 'errors', 'more', 'several', 'fewer'] as const)(
    'is warned of once a minute: %s',
    (doubt) => {
      const { clock, warnings, end } = startWarnings();
      end(thingOf, { doubt }, 3);
      clock.advance(59_999);
      end(thingOf, { doubt });
      expect(warnings).toEqual([expect.stringMatching(/^shop\.thingOf: /)]);
      clock.advance(1);
      end(thingOf, { doubt });
      expect(warnings).toHaveLength(2);
    },
  );

  it('is warned of by its lookup and reason', () => {
    const { warnings, end } = startWarnings();
    end(thingOf, { doubt: 'unmatched' });
    end(thingOf, { doubt: 'more' });
    end(maybeOf, { doubt: 'more' });
    expect(warnings).toHaveLength(3);
  });

  it('is not warned of where keys without items are declared', () => {
    const { warnings, end } = startWarnings();
    end(maybeOf, { doubt: 'fewer' });
    expect(warnings).toEqual([]);
  });
});

describe('a lookup that has answered nothing but 404', () => {
  it('is warned of, from its third answer on', () => {
    const { warnings, end } = startWarnings();
    end(thingOf, notFound(thingOf), 2);
    expect(warnings).toEqual([]);
    end(thingOf, notFound(thingOf), 2);
    expect(warnings).toEqual([expect.stringContaining('nothing but 404')]);
  });

  it('is not warned of any more when it has answered anything else', () => {
    const { warnings, end } = startWarnings();
    end(thingOf, notFound(thingOf), 2);
    end(thingOf, {});
    end(thingOf, notFound(thingOf), 10);
    expect(warnings).toEqual([]);
  });

  it('may be an operation whose 404 is null, from its twentieth answer on', () => {
    const { warnings, end } = startWarnings();
    const common404 = { route: 'GET /things/:id', response: item, missing: 'null' } as const;
    const maybe = operation(nowhere, { name: 'maybe', ...common404 });
    end(maybe, { status: 404 }, 19);
    expect(warnings).toEqual([]);
    end(maybe, { status: 404 });
    expect(warnings).toEqual([
      'shop.maybe: has answered nothing but 404 since the start. Its route or address may be wrong',
    ]);
    const found = operation(nowhere, { name: 'found', ...common404 });
    end(found, { status: 200 });
    end(found, { status: 404 }, 30);
    expect(warnings).toHaveLength(1);
  });

  it('is warned of from its twentieth answer on where it asks for one key at a time', () => {
    const { warnings, end } = startWarnings();
    const alone = lookup(nowhere, { name: 'alone', single: 'GET /things/:id', by: 'id', item });
    end(alone, notFound(alone), 19);
    expect(warnings).toEqual([]);
    end(alone, notFound(alone));
    expect(warnings).toEqual([
      'shop.alone: has answered nothing but 404 since the start. Its route or address may be wrong',
    ]);
  });

  it('is told from an operation, whose 404 is an answer like any other', () => {
    const { warnings, end } = startWarnings();
    end(getThing, notFound(getThing), 10);
    expect(warnings).toEqual([]);
  });
});

describe('work that was only accepted', () => {
  const post = operation(nowhere, { name: 'post', route: 'POST /jobs', response: item });

  it('is warned of once a minute for each operation that writes', () => {
    const { warnings, end } = startWarnings();
    end(post, { doubt: 'accepted', status: 202 }, 2);
    end(getThing, { doubt: 'accepted', status: 202 });
    expect(warnings).toEqual([
      'shop.post: answered 202 with a Location, so its work is not done yet, and the operation ' +
        'declares neither. Declare response: { status, headers } and pass them on by answer()',
    ]);
  });
});
