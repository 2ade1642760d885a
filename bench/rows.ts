/** All rows of the bench: what each shows, the programs it compares, its load and its targets. */
import { lastGenerated } from './checkout.ts';
import { forEachId } from './load/request-file.ts';
import type { Request } from './load/request-file.ts';
import { byHand, byHandKeeping, careful, gateway, mercurius, service, yoga } from './programs.ts';
import { hasRedis } from './process/redis.ts';
import type { FullLoad, Load, Row, Target } from './row.ts';
import { withTokens } from './tokens.ts';

const plait = gateway();
const one = gateway({ name: 'plait, 1 composition', generated: 1 });
const hundred = gateway({ name: 'plait, 100 compositions', generated: 100 });
const thousand = gateway({ name: 'plait, 1000 compositions', generated: 1000 });

/** All that users would pick instead. */
const everybody = [plait, byHand, careful, mercurius, yoga] as const;

const summaries = (variant: string, count?: number): readonly Request[] =>
  forEachId((id) => ({ path: `/${variant}/${id}` }), count);
const pages = (limit: number): readonly Request[] =>
  forEachId((id) => ({ path: `/customers/${id}/orders?limit=${limit}` }));
const generated = forEachId((id) => ({ path: `${lastGenerated}/${id}/summary` }));
const unshared = summaries('unshared');

function cpu(requests: readonly Request[], answers: Pick<FullLoad, 'status' | 'revalidates'> = {}) {
  return { kind: 'full', measures: 'cpuMicros', requests, ...answers } satisfies FullLoad;
}
const atMost = (limit: number, to: string): Target => ({ of: 'ratio', to, atMost: limit });
const moreThan = (to: string, limit: number): Target => ({ of: 'difference', to, atMost: limit });
const atMostItself = (limit: number): Target => ({ of: 'subject', atMost: limit });

/** A limit that no load reaches. */
const limited =
  'defineGateway({ rateLimits: { perAddress: { limit: 1_000_000_000, windowS: 3_600 } } })';
const allowed = "defineGateway({ cors: { origins: ['https://shop.example'] } })";
const bare = 'defineGateway({ securityHeaders: false })';

/** Only where redis-server is installed. */
const limitInRedis: Row = {
  name: 'edge-limit-redis',
  about: 'Every request counts for a rate limit, in a Redis that gateways share.',
  programs: [gateway({ name: 'plait, limit in Redis', definition: limited, redis: true }), plait],
  load: cpu(unshared),
};

/** Signs its tokens when it is asked for its requests: most runs of the bench need none. */
function cpuWithTokens(count: number): FullLoad {
  return {
    kind: 'full',
    measures: 'cpuMicros',
    get requests() {
      return withTokens(unshared, count);
    },
  };
}
const tokenDemanding = gateway({ name: 'plait, JWT', isProtected: true });

export const rows: readonly Row[] = [
  {
    name: 'summary-unshared',
    about: 'Three calls a request, whatever others ask for: the price of plan, checks and merging.',
    programs: everybody,
    load: cpu(unshared),
    targets: [atMost(1.3, 'by hand'), atMost(1.1, 'careful hand'), atMost(1.1, 'before')],
  },
  {
    name: 'summary-hot',
    about: 'Everybody asks for the same order: identical calls in flight are one.',
    programs: everybody,
    load: cpu([{ path: '/shared/ord_1001' }]),
    targets: [atMost(0.27, 'by hand'), atMost(1.15, 'before')],
  },
  {
    name: 'summary-batched',
    about:
      'Every request asks for another order; lookups of one turn are one request to a service.',
    programs: everybody,
    load: cpu(summaries('shared')),
    targets: [atMost(0.7, 'by hand')],
  },
  {
    name: 'list-25',
    about: 'Pages of 25 orders with a payment and a shipment each: three calls for everybody.',
    programs: everybody,
    load: cpu(pages(25)),
    targets: [atMost(1.3, 'by hand'), atMost(0.85, 'careful hand'), atMost(1.15, 'before')],
  },
  {
    name: 'list-100',
    about: 'Pages of 100 orders with a payment and a shipment each.',
    programs: everybody,
    load: cpu(pages(100)),
    targets: [atMost(1.8, 'by hand'), atMost(0.9, 'careful hand')],
  },
  {
    name: 'cache-hit',
    about: 'All three answers are in the memory of the gateway; the hand makes the calls.',
    programs: [plait, byHand],
    load: cpu(summaries('cached', 100)),
    targets: [atMost(0.35, 'by hand'), atMost(1.1, 'before')],
  },
  {
    name: 'cache-hit-both',
    about: 'All three answers are in the memory of both; the hand keeps them in an LRU cache.',
    programs: [plait, byHandKeeping],
    load: cpu(summaries('cached', 100)),
  },
  {
    name: 'not-modified',
    about: 'Three calls a request, and nothing new for the client: 304.',
    programs: [plait, byHand],
    load: cpu(summaries('revalidated', 100), { revalidates: true }),
  },
  {
    name: 'identity-one',
    about:
      'The identity of clients is forwarded and always the same: requests share as without it.',
    programs: [plait, byHand],
    load: cpu(
      forEachId((id) => ({
        path: `/identified/${id}`,
        headers: { authorization: 'Bearer somebody' },
      })),
    ),
  },
  {
    name: 'identity-many',
    about: 'The identity of clients is forwarded and always another: nothing can be shared.',
    programs: [plait, byHand],
    load: cpu(
      forEachId((id) => ({
        path: `/identified/${id}`,
        headers: { authorization: `Bearer customer of ${id}` },
      })),
    ),
  },
  {
    name: 'not-found',
    about: 'There is nothing at the address: 404 without any call.',
    programs: [plait, byHand],
    load: cpu(summaries('nothing'), { status: 404 }),
    targets: [moreThan('before', 12)],
  },
  {
    name: 'health',
    about: 'Whether the process lives, as an orchestrator asks: the price of HTTP alone.',
    programs: [plait, byHand],
    load: cpu([{ path: '/livez' }]),
    targets: [moreThan('before', 12)],
  },
  {
    name: 'compositions-100',
    about: 'A request finds its plan among 100, against a gateway that has only that one.',
    programs: [hundred, one],
    load: cpu(generated),
  },
  {
    name: 'compositions-1000',
    about: 'A request finds its plan among 1,000, against a gateway that has only that one.',
    programs: [thousand, one],
    load: cpu(generated),
    targets: [atMost(1.1, one.name)],
  },
  {
    name: 'telemetry-off',
    about: 'The gateway against itself: how far a ratio is from 1 by chance.',
    programs: [plait, gateway({ name: 'plait again' })],
    load: cpu(unshared),
  },
  {
    name: 'telemetry-metrics',
    about: 'Metrics are counted, as they are by default; no request is recorded.',
    programs: [gateway({ name: 'plait, metrics', metrics: true }), plait],
    load: cpu(unshared),
    targets: [atMost(1.05, plait.name)],
  },
  {
    name: 'telemetry-1-percent',
    about:
      'One request in a hundred is recorded and exported; the others only pass their trace on.',
    programs: [gateway({ name: 'plait, 1 % sampled', sampled: 0.01 }), plait],
    // The exporter runs once in some seconds, and in its first runs not compiled.
    load: { ...cpu(unshared), warmUpSeconds: 15 },
    targets: [atMost(1.12, plait.name)],
  },
  {
    name: 'telemetry-100-percent',
    about: 'Every request is recorded and exported.',
    programs: [gateway({ name: 'plait, 100 % sampled', sampled: 1 }), plait],
    load: cpu(unshared),
    targets: [atMost(1.5, plait.name)],
  },
  {
    name: 'edge-limit-memory',
    about: 'Every request counts for a rate limit, in the memory of the process.',
    programs: [gateway({ name: 'plait, limit in memory', definition: limited }), plait],
    load: cpu(unshared),
  },
  ...(hasRedis ? [limitInRedis] : []),
  {
    name: 'edge-jwt-verified',
    about: 'Every client has a token (ES256) of its own: one that is remembered no longer.',
    programs: [tokenDemanding, plait],
    // More than the gateway remembers.
    load: cpuWithTokens(12_000),
  },
  {
    name: 'edge-jwt-cached',
    about: 'A thousand clients send their tokens again and again.',
    programs: [tokenDemanding, plait],
    load: cpuWithTokens(1_000),
  },
  {
    name: 'edge-browsers',
    about: 'Pages of another origin ask: CORS and security headers, against neither of them.',
    programs: [
      gateway({ name: 'plait, CORS and headers', definition: allowed }),
      gateway({ name: 'plait, without headers', definition: bare }),
    ],
    load: cpu(
      forEachId((id) => ({
        path: `/unshared/${id}`,
        headers: { origin: 'https://shop.example' },
      })),
    ),
  },
  {
    name: 'latency-added',
    about: 'A half busy gateway in front of a service: what a client waits longer than without it.',
    programs: [plait, service],
    load: { kind: 'half', requests: forEachId((id) => ({ path: `/orders/${id}` })) },
    targets: [moreThan(service.name, 2)],
  },
  {
    name: 'memory-idle',
    about: 'The memory of a process that is ready and has not been asked for anything.',
    programs: [plait, byHand],
    load: { kind: 'start', measures: 'rssMiB' },
    targets: [atMostItself(130)],
  },
  {
    name: 'memory-loaded',
    about: 'The memory of a process under the load of summary-unshared.',
    programs: everybody,
    load: { kind: 'full', measures: 'rssMiB', requests: unshared },
    targets: [atMostItself(150)],
  },
  {
    name: 'start-1',
    about: 'From the start of the process until it is ready, with one composition.',
    programs: [one, byHand],
    load: { kind: 'start', measures: 'readyMs' },
  },
  {
    name: 'start-100',
    about: 'From the start of the process until it is ready, with 100 compositions.',
    programs: [hundred, one],
    load: { kind: 'start', measures: 'readyMs' },
    targets: [atMostItself(1_000)],
  },
  {
    name: 'start-1000',
    about: 'From the start of the process until it is ready, with 1,000 compositions.',
    programs: [thousand, one],
    load: { kind: 'start', measures: 'readyMs' },
  },
];

/** All rows, or the one called `wanted`, or those it is the first word of: `telemetry`. */
export function findRows(wanted?: string): readonly Row[] {
  if (wanted === undefined) return rows;
  const found = rows.filter(({ name }) => name === wanted || name.startsWith(`${wanted}-`));
  if (found.length > 0) return found;
  const names = rows.map(({ name }) => name).join(', ');
  throw new Error(`There is no row ${JSON.stringify(wanted)}. There are: ${names}.`);
}

/** Only rows that bring something new: a program, a kind of load, or requests of another kind. */
export function coveringRows(): readonly Row[] {
  const seen = new Set<unknown>();
  return rows.filter(({ programs, load }) => {
    const parts = [...programs, kindOf(load)].filter((part) => !seen.has(part));
    parts.forEach((part) => seen.add(part));
    return parts.length > 0;
  });
}

function kindOf(load: Load): string {
  if (load.kind === 'start') return load.kind;
  const [, place] = load.requests[0]?.path.split('/') ?? [];
  return `${load.kind} ${place}`;
}

/** The same row with the subject of another checkout as one more program. */
export function against(row: Row, checkout: string): Row {
  const before = row.programs[0].of?.(checkout);
  return before === undefined ? row : { ...row, programs: [...row.programs, before] };
}
