/**
 * The knobs of the way to a service: what they are when nobody says, what an operation inherits,
 * what is refused.
 */
import { defineService, lookup, operation } from 'plait';
import type { Operation, Service } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { OperationConfig } from '../../src/dsl/declare-operation.ts';
import { slowMsOf } from '../../src/dsl/service-policies.ts';
import type { ServiceConfig } from '../../src/dsl/service.ts';
import { messageOf } from '../support/page.ts';

const response = z.object({ id: z.string() });

describe('a service that says nothing', () => {
  it('asks once more, after 25 to 250 ms, as far as a fifth of its calls or 3 go', () => {
    const { policies, retryBudget } = shop();
    expect(policies.retry).toEqual({ times: 1, minDelayMs: 25, maxDelayMs: 250 });
    expect(retryBudget).toEqual({ percent: 20, floor: 3 });
  });

  it('is left alone when most attempts of 10 s failed or were slow', () => {
    expect(shop().breaker).toEqual({
      windowMs: 10_000,
      volume: 20,
      failedPercent: 50,
      slowPercent: 80,
      slowMs: undefined,
      openMs: 5_000,
      maxOpenMs: 60_000,
      probes: 3,
    });
  });

  it('is called 128 times at once, and 256 more calls wait for 100 ms', () => {
    expect(shop().bulkhead).toEqual({ concurrency: 128, queue: 256, waitMs: 100 });
  });

  it('loses an address for 30 s after 5 failures', () => {
    expect(shop().ejection).toEqual({
      failures: 5,
      ejectMs: 30_000,
      maxEjectMs: 300_000,
      slowStartMs: 10_000,
    });
  });

  it('has 3 s for an attempt and 5 MiB for its answer', () => {
    expect(shop().policies).toMatchObject({ timeoutMs: 3_000, maxBodyBytes: 5_242_880 });
  });

  it('is not asked twice at once, nor how it is', () => {
    expect(shop().policies.hedge).toBe(false);
    expect(shop().health).toBeUndefined();
  });
});

describe('a service that says a part', () => {
  it('keeps the defaults of the rest', () => {
    const service = shop({
      retry: { times: 2 },
      hedge: {},
      breaker: { volume: 5 },
      health: { path: '/livez' },
    });
    expect(service.policies.retry).toEqual({ times: 2, minDelayMs: 25, maxDelayMs: 250 });
    expect(service.policies.hedge).toEqual({ afterP: 0.95, maxExtra: 0.05 });
    expect(service.breaker).toMatchObject({ windowMs: 10_000, volume: 5, failedPercent: 50 });
    expect(service.health).toEqual({ path: '/livez', intervalMs: 5_000 });
  });

  it('turns off what it does not want', () => {
    const service = shop({ retry: false, breaker: false, hedge: false });
    expect(service.breaker).toBe(false);
    expect(service.policies).toMatchObject({ retry: false, hedge: false });
  });

  it('calls an answer slow after four fifths of an attempt, or after what it says', () => {
    const quick = get(shop({ timeoutMs: 3_000 }), { timeoutMs: 501 });
    expect(slowMs(quick)).toBe(401);
    expect(slowMs(get(shop({ breaker: { slowMs: 90 } })))).toBe(90);
  });
});

describe('an operation', () => {
  const service = shop({
    timeoutMs: 700,
    retry: { times: 3, minDelayMs: 5, maxDelayMs: 50 },
    hedge: { afterP: 0.9, maxExtra: 0.1 },
  });

  it('is as its service where it says nothing', () => {
    expect(get(service).policies).toEqual(service.policies);
    expect(get(service, untyped({ retry: undefined, hedge: undefined })).policies).toEqual(
      service.policies,
    );
  });

  it('changes only what it names', () => {
    expect(
      get(service, { retry: { times: 2 }, hedge: { maxExtra: 0.2 }, maxBodyBytes: 1 }).policies,
    ).toEqual({
      timeoutMs: 700,
      maxBodyBytes: 1,
      maxDepth: 64,
      retry: { times: 2, minDelayMs: 5, maxDelayMs: 50 },
      hedge: { afterP: 0.9, maxExtra: 0.2 },
    });
  });

  it('turns off what its service does', () => {
    const { policies } = get(service, { retry: false, hedge: false });
    expect(policies).toMatchObject({ retry: false, hedge: false });
  });

  it('turns on, with the defaults, what its service does not', () => {
    const { policies } = get(shop({ retry: false }), { retry: {}, hedge: { afterP: 0.5 } });
    expect(policies).toMatchObject({
      retry: { times: 1, minDelayMs: 25, maxDelayMs: 250 },
      hedge: { afterP: 0.5, maxExtra: 0.05 },
    });
  });

  it('is refused what does not go with what it inherits', () => {
    expect(messageOf(() => get(service, { retry: { minDelayMs: 60 } }))).toBe(
      'shop.getX: retry.minDelayMs is 60, more than retry.maxDelayMs, which is 50. Set both.',
    );
  });

  it.each(['retryBudget', 'breaker', 'bulkhead', 'ejection', 'health'])(
    'is refused %s, which is for all operations of a service',
    (knob) => {
      expect(messageOf(() => get(service, untyped({ [knob]: {} })))).toMatch(
        new RegExp(`^shop\\.getX: unknown option "${knob}"\\. Known options: name, route, `),
      );
    },
  );

  it('is checked as its service is', () => {
    expect(messageOf(() => get(service, { retry: { times: -1 } }))).toBe(
      'shop.getX: retry.times is -1. Use a whole number of at least 0.',
    );
    expect(messageOf(() => get(service, { hedge: { afterP: 2 } }))).toBe(
      'shop.getX: hedge.afterP is 2. Use a number between 0 and 1, as in 0.95.',
    );
    expect(messageOf(() => itemOf(service, { retry: { times: 11 } }))).toBe(
      'shop.getX: retry.times is 11. Use a whole number of at most 10.',
    );
  });
});

describe('what may be asked twice', () => {
  const mayBeDoneTwice =
    'is not retried, since it might be carried out twice. Remove retry, or declare idempotent: ' +
    'true if the service guarantees that.';

  it('is a GET, a lookup, and what is declared to be', () => {
    expect(get(shop()).idempotent).toBe(true);
    expect(itemOf(shop(), {}, 'POST /x').idempotent).toBe(true);
    expect(change('PUT /x').idempotent).toBe(false);
    expect(change('PUT /x', { idempotent: true, retry: { times: 2 } })).toMatchObject({
      idempotent: true,
      policies: { retry: { times: 2 } },
    });
  });

  it('is not a GET that is declared not to be', () => {
    expect(get(shop(), { idempotent: false }).idempotent).toBe(false);
  });

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'] as const)(
    'is no %s of itself: retry is refused',
    (method) => {
      expect(messageOf(() => change(`${method} /x`, { retry: {} }))).toMatch(
        new RegExp(`: a ${method} ${mayBeDoneTwice}$`),
      );
    },
  );

  it('is nothing that changes something, when it is at once: hedge is refused', () => {
    expect(messageOf(() => change('POST /x', { hedge: {}, idempotent: true }))).toBe(
      'shop.postX: a POST may change something, so it is never hedged. Remove hedge.',
    );
  });

  it('may be said of a whole service, whatever its operations do', () => {
    const service = shop({ retry: { times: 2 }, hedge: {} });
    expect(() =>
      operation(service, { route: 'POST /x', response, retry: false, hedge: false }),
    ).not.toThrow();
    expect(() => operation(service, { route: 'POST /x', response })).not.toThrow();
  });

  it('is a lookup at once too, whatever its method', () => {
    const { policies } = itemOf(shop(), { hedge: {} }, 'POST /x');
    expect(policies.hedge).toEqual({ afterP: 0.95, maxExtra: 0.05 });
  });
});

type Group = Exclude<keyof typeof known, 'hedge'>;

const known = {
  retry: ['times', 'minDelayMs', 'maxDelayMs'],
  retryBudget: ['percent', 'floor'],
  hedge: ['afterP', 'maxExtra'],
  breaker: [
    'windowMs',
    'volume',
    'failedPercent',
    'slowPercent',
    'slowMs',
    'openMs',
    'maxOpenMs',
    'probes',
  ],
  bulkhead: ['concurrency', 'queue', 'waitMs'],
  ejection: ['failures', 'ejectMs', 'maxEjectMs', 'slowStartMs'],
  health: ['path', 'intervalMs'],
} as const;

describe('a group of knobs', () => {
  it.each(Object.entries(known))('%s refuses one that is none, and names its own', (group, own) => {
    expect(messageOf(() => shop(untyped({ [group]: { [own[0]]: 1, timeout: 5 } })))).toBe(
      `service "shop": unknown option "timeout" in ${group}. Known options: ${own.join(', ')}.`,
    );
  });

  it.each([
    ['retryBudget', 'percent'],
    ['breaker', 'windowMs'],
    ['bulkhead', 'concurrency'],
    ['ejection', 'failures'],
    ['health', 'path'],
  ])('%s refuses what is no group', (group, first) => {
    for (const value of [5, true]) {
      expect(messageOf(() => shop(untyped({ [group]: value })))).toBe(
        `service "shop": ${group} is ${value}. Write { ${first}: … }.`,
      );
    }
  });
});

const largest = 2 ** 31 - 1;

describe('a whole number', () => {
  const table: [group: Group, knob: string, least: number, most: number][] = [
    ['retry', 'times', 0, 10],
    ['retry', 'minDelayMs', 0, largest],
    ['retry', 'maxDelayMs', 0, largest],
    ['retryBudget', 'percent', 0, 100],
    ['retryBudget', 'floor', 0, largest],
    ['breaker', 'windowMs', 10, largest],
    ['breaker', 'volume', 1, largest],
    ['breaker', 'failedPercent', 1, 100],
    ['breaker', 'slowPercent', 1, 100],
    ['breaker', 'slowMs', 1, largest],
    ['breaker', 'openMs', 1, largest],
    ['breaker', 'maxOpenMs', 1, largest],
    ['breaker', 'probes', 1, largest],
    ['bulkhead', 'concurrency', 1, largest],
    ['bulkhead', 'queue', 0, largest],
    ['bulkhead', 'waitMs', 1, largest],
    ['ejection', 'failures', 1, largest],
    ['ejection', 'ejectMs', 1, largest],
    ['ejection', 'maxEjectMs', 1, largest],
    ['ejection', 'slowStartMs', 0, largest],
    ['health', 'intervalMs', 100, largest],
  ];

  it.each(table)('%s.%s is refused below %d and above %d', (group, knob, least, most) => {
    for (const value of [least - 1, -1, least + 0.5, Number.NaN]) {
      expect(messageOf(() => shop(groups([[group, knob, value]])))).toBe(
        `service "shop": ${group}.${knob} is ${value}. Use a whole number of at least ${least}.`,
      );
    }
    for (const value of [most + 1, most + 0.5, Number.POSITIVE_INFINITY]) {
      expect(messageOf(() => shop(groups([[group, knob, value]])))).toBe(
        `service "shop": ${group}.${knob} is ${value}. Use a whole number of at most ${most}.`,
      );
    }
  });

  it.each(table)('%s.%s is refused as text', (group, knob, least) => {
    expect(messageOf(() => shop(groups([[group, knob, String(least)]])))).toMatch(
      new RegExp(
        `^service "shop": ${group}\\.${knob} is .*${least}.*\\. Use a whole number of at least `,
      ),
    );
  });

  it('is taken up to its limits', () => {
    const lowest = groups(table.map(([group, knob, least]) => [group, knob, least]));
    const highest = groups(table.map(([group, knob, , most]) => [group, knob, most]));
    for (const config of [lowest, highest]) {
      const { policies, ...service } = shop(config);
      expect({ ...service, retry: policies.retry }).toMatchObject(config);
    }
  });
});

describe('a share', () => {
  it.each(['afterP', 'maxExtra'])('hedge.%s is refused unless it is between 0 and 1', (knob) => {
    for (const value of [0, 1, -0.1, 95, Number.NaN]) {
      expect(messageOf(() => shop({ hedge: { [knob]: value } }))).toBe(
        `service "shop": hedge.${knob} is ${value}. Use a number between 0 and 1, as in 0.95.`,
      );
    }
    expect(shop({ hedge: { [knob]: 0.001 } }).policies.hedge).toMatchObject({ [knob]: 0.001 });
  });
});

describe('a pair', () => {
  it.each([
    { group: 'retry', knob: 'minDelayMs', other: 'maxDelayMs', most: 250 },
    { group: 'breaker', knob: 'openMs', other: 'maxOpenMs', most: 60_000 },
    { group: 'ejection', knob: 'ejectMs', other: 'maxEjectMs', most: 300_000 },
  ] as const)('$group.$knob is refused when it is more than $other', (pair) => {
    const { group, knob, other, most } = pair;
    const value = most + 1;
    const problem =
      `service "shop": ${group}.${knob} is ${value}, ` +
      `more than ${group}.${other}, which is ${most}. Set both.`;
    const setting = (otherValue: number): object =>
      groups([
        [group, knob, value],
        [group, other, otherValue],
      ]);
    expect(messageOf(() => shop(groups([[group, knob, value]])))).toBe(problem);
    expect(messageOf(() => shop(setting(most)))).toBe(problem);
    expect(() => shop(setting(value))).not.toThrow();
  });
});

describe('the path of a health check', () => {
  it.each(['/', '/livez', '/api/v1.2/health_check~x-y'])('may be "%s"', (path) => {
    expect(shop({ health: { path } }).health?.path).toBe(path);
  });

  it.each([
    '',
    'livez',
    '/livez?full=1',
    '/livez#top',
    '/:id',
    '/a b',
    '/%2e%2e/admin',
    '/line\nbreak',
    '/ä',
    'http://other/livez',
    'GET /livez',
  ])('cannot be %j', (path) => {
    expect(messageOf(() => shop({ health: { path } }))).toBe(
      `service "shop": health.path is ${JSON.stringify(path)}. Use a path of plain segments, ` +
        'without a query or a trailing slash, as in "/livez".',
    );
  });

  it.each([undefined, null, 5])('cannot be %s', (path) => {
    expect(messageOf(() => shop(untyped({ health: { path } })))).toBe(
      `service "shop": health.path is ${path}. Use a path of plain segments, without a query or ` +
        'a trailing slash, as in "/livez".',
    );
  });

  it.each(['/..', '/a/../b', '/./a', '//other', '/livez/'])(
    'cannot lead elsewhere: "%s"',
    (path) => {
      expect(messageOf(() => shop({ health: { path } }))).toMatch(/^service "shop": health/);
    },
  );
});

describe('a group of knobs that is none', () => {
  const groupNames = ['retry', 'hedge', 'retryBudget', 'breaker', 'bulkhead', 'ejection', 'health'];
  const values = [null, true, 0, '', 5, [], [0.5], 'no'];

  it.each(groupNames.flatMap((name) => values.map((value) => [name, value] as const)))(
    '%s: %j is refused, not taken for the default',
    (name, value) => {
      const message = messageOf(() => shop(untyped({ [name]: value })));
      expect(message).toMatch(new RegExp(`^service "shop": ${name} is .*\\. Write \\{ `));
    },
  );

  it.each(['retryBudget', 'bulkhead', 'ejection', 'health'])('%s cannot be turned off', (name) => {
    expect(messageOf(() => shop(untyped({ [name]: false })))).toContain(`${name} is false.`);
  });

  it('idempotent is true or false', () => {
    const config = { route: 'POST /x', response, idempotent: 'no' }; // not typed
    expect(messageOf(() => operation(shop({}), config as never))).toBe(
      'shop.postX: idempotent is "no". Use true or false.',
    );
  });

  it('what is not asked twice is not hedged', () => {
    const config = { route: 'GET /x', response, idempotent: false, hedge: {} } as const;
    expect(messageOf(() => operation(shop({}), config))).toBe(
      'shop.getX: an operation that is not idempotent is never hedged. Remove hedge, or ' +
        'idempotent: false.',
    );
  });

  it('a share is a number', () => {
    expect(messageOf(() => shop(untyped({ hedge: { afterP: '0.5' } })))).toContain(
      'hedge.afterP is "0.5". Use a number between 0 and 1',
    );
  });
});

type Knobs = Partial<OperationConfig<'GET /x', undefined, undefined, typeof response>>;

/** A service of which only these knobs matter. */
function shop(config: Partial<ServiceConfig> = {}): Service {
  return defineService({ name: 'shop', url: 'http://shop', ...config });
}

function get(service: Service, config: Knobs = {}): Operation {
  return operation(service, { ...config, route: 'GET /x', response });
}

function itemOf(
  service: Service,
  config: Pick<Knobs, 'retry' | 'hedge'>,
  route: 'GET /x' | 'POST /x' = 'GET /x',
): Operation {
  return lookup(service, { ...config, route, keys: { query: 'ids' }, by: 'id', item: response });
}

/** An operation that is no GET. */
function change(
  route: `${'POST' | 'PUT' | 'PATCH' | 'DELETE'} /x`,
  config: Pick<Knobs, 'retry' | 'hedge' | 'idempotent'> = {},
): Operation {
  return operation(shop(), { ...config, route, response });
}

function slowMs({ service, policies }: Operation): number | undefined {
  return service.breaker === false ? undefined : slowMsOf(service.breaker, policies);
}

/** A configuration that no compiler has checked. */
function untyped(config: object): object {
  return config;
}

/** Knobs in their groups; a health check has a path too. */
function groups(knobs: readonly (readonly [group: Group, knob: string, value: unknown])[]): object {
  const config: Record<string, Record<string, unknown>> = {};
  for (const [group, knob, value] of knobs) {
    const path = group === 'health' ? { path: '/livez' } : {};
    config[group] = { ...path, ...config[group], [knob]: value };
  }
  return config;
}
