import { describe, expect, it } from 'vitest';
import { run, runMocks, shipped } from '../support/processes.ts';
import type { Program } from '../support/processes.ts';
import { startCollector } from './_collector.ts';
import type { Collector } from './_collector.ts';

const quick = { OTEL_BSP_SCHEDULE_DELAY: '50', OTEL_METRIC_EXPORT_INTERVAL: '200' };
const everything = { OTEL_TRACES_SAMPLER: 'always_on', OTEL_METRICS_EXPORTER: 'otlp', ...quick };

async function start(environment: Record<string, string>): Promise<Program> {
  const gateway = run('bin/plait.js', ['start', ...shipped], {
    ...(await runMocks()),
    PORT: '0',
    HOST: '127.0.0.1',
    NODE_ENV: 'production',
    SHUTDOWN_DELAY_MS: '0',
    ...environment,
  });
  await gateway.ready;
  return gateway;
}

async function startSending({ url }: Pick<Collector, 'url'>, more: Record<string, string> = {}) {
  return start({ ...everything, OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more });
}

/** The longest that a load may take on a busy machine. */
const patienceMs = 30_000;

/**
 * Asks again and again, four at a time, for `ms` and until so many answers are enough; the statuses
 * there were, and how often.
 */
async function load(
  gateway: Program,
  ms: number,
  isEnough: (answered: number) => boolean = () => true,
): Promise<Record<string, number>> {
  const url = `${await gateway.ready}/orders/ord_1001/summary`;
  const begunAt = performance.now();
  const statuses: Record<string, number> = {};
  let answered = 0;
  const isOver = (): boolean => {
    const tookMs = performance.now() - begunAt;
    return tookMs > patienceMs || (tookMs > ms && isEnough(answered));
  };
  const ask = async (): Promise<string> => {
    const { status, headers } = await fetch(url);
    return headers.has('plait-degraded') ? 'degraded' : String(status);
  };
  const client = async (): Promise<void> => {
    while (!isOver()) {
      const outcome = await ask().catch(String);
      statuses[outcome] = (statuses[outcome] ?? 0) + 1;
      answered += 1;
    }
  };
  await Promise.all([1, 2, 3, 4].map(client));
  return statuses;
}

function warnings(gateway: Program): string[] {
  return gateway
    .errors()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { message: string }).message);
}

async function stop(gateway: Program): Promise<{ code: number | null; tookMs: number }> {
  const toldAt = performance.now();
  gateway.kill('SIGTERM');
  const code = await gateway.exitCode;
  return { code, tookMs: performance.now() - toldAt };
}

/** For the SDK, and for what else there is to do. */
const longestMs = 3_000 + 5_000;

describe('a collector that is not well', () => {
  it.each(['failing', 'frozen'] as const)(
    'and %s fails no request, and is complained of once',
    async (health) => {
      const collector = await startCollector(health);
      const gateway = await startSending(collector, { OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
      const isEnough = (answered: number) => answered > 50 && collector.requests() > 1;
      const statuses = await load(gateway, 1_200, isEnough);
      expect(Object.keys(statuses)).toEqual(['200']);
      expect(isEnough(statuses['200'] ?? 0)).toBe(true);
      await expect.poll(() => warnings(gateway)).toEqual([expect.stringMatching(/^Telemetry: /)]);
    },
  );

  it('and killed under load fails no request, and is complained of once', async () => {
    const collector = await startCollector();
    const gateway = await startSending(collector, { OTEL_EXPORTER_OTLP_TIMEOUT: '300' });
    const loading = load(gateway, 1_800, () => warnings(gateway).length > 0);
    await expect.poll(() => collector.requests()).toBeGreaterThan(3);
    expect(warnings(gateway)).toEqual([]);
    collector.kill();
    expect(Object.keys(await loading)).toEqual(['200']);
    expect(warnings(gateway)).toEqual([expect.stringMatching(/^Telemetry: /)]);
  });

  it('is sent no more than what may wait when it is back', async () => {
    const collector = await startCollector('frozen');
    const gateway = await startSending(collector, {
      OTEL_BSP_MAX_QUEUE_SIZE: '40',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20',
      OTEL_METRICS_EXPORTER: 'none',
    });
    const statuses = await load(gateway, 1_200, (answered) => answered > 40);
    expect(statuses['200']).toBeGreaterThan(40);
    expect(collector.requests()).toBe(1);
    collector.thaw();
    expect((await stop(gateway)).code).toBe(0);
    const text = collector.received().toString('latin1');
    expect(text.split('step ').length - 1).toBeLessThanOrEqual(20 + 40);
  });
});

describe('a gateway that is told to stop', () => {
  it.each(['dead', 'failing', 'frozen'] as const)(
    'does not wait for long for a collector that is %s',
    async (health) => {
      const collector = await startCollector(health === 'dead' ? 'well' : health);
      if (health === 'dead') collector.kill();
      const gateway = await startSending(collector, { OTEL_BSP_SCHEDULE_DELAY: '600000' });
      await load(gateway, 200);
      const { code, tookMs } = await stop(gateway);
      expect(code).toBe(0);
      expect(tookMs).toBeLessThan(longestMs);
      expect(warnings(gateway).join('\n')).toContain('The last traces could not be handed over');
    },
  );

  it.each(['http/protobuf', 'http/json'])('hands over its last spans by %s', async (protocol) => {
    const collector = await startCollector();
    const gateway = await startSending(collector, {
      TRUSTED_PEERS: '127.0.0.1',
      OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
      OTEL_BSP_SCHEDULE_DELAY: '600000',
      OTEL_METRIC_EXPORT_INTERVAL: '600000',
    });
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const response = await fetch(`${await gateway.ready}/orders/ord_1001/summary`, {
      headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` },
    });
    expect(response.status).toBe(200);
    expect(collector.requests()).toBe(0);
    expect(await stop(gateway)).toMatchObject({ code: 0 });
    const id = protocol === 'http/json' ? traceId : Buffer.from(traceId, 'hex');
    expect(collector.received().includes(id)).toBe(true);
    expect(collector.received().includes('step shipment')).toBe(true);
    expect(collector.received().includes('http.server.request.duration')).toBe(true);
    expect(warnings(gateway)).toEqual([]);
  });
});

/** Prints the address of every module that is loaded. */
const spy = `data:text/javascript,${encodeURIComponent(
  `import { registerHooks } from 'node:module';
   registerHooks({ load: (url, context, next) => { console.log('loaded ' + url); return next(url, context); } });`,
)}`;

async function loadedBy(environment: Record<string, string>): Promise<string[]> {
  const gateway = await start({ NODE_OPTIONS: `--import=${spy}`, ...environment });
  await load(gateway, 100);
  expect((await stop(gateway)).code).toBe(0);
  return gateway.lines.filter((line) => line.startsWith('loaded '));
}

function packagesOf(loaded: readonly string[]): Set<string> {
  const names = loaded.map((line) => /node_modules\/(@opentelemetry\/[\w-]+)/.exec(line)?.[1]);
  return new Set(names.filter((name) => name !== undefined));
}

describe('what is not used', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

  it('is the SDK for traces, in production without an endpoint', async () => {
    for (const environment of [{}, { OTEL_EXPORTER_OTLP_ENDPOINT: '' }]) {
      const packages = packagesOf(await loadedBy(environment));
      expect(packages).toContain('@opentelemetry/sdk-metrics');
      expect(packages).not.toContain('@opentelemetry/sdk-node');
      expect(packages).not.toContain('@opentelemetry/sdk-trace');
      expect([...packages].filter((name) => name.includes('otlp'))).toEqual([]);
    }
  });

  it('is any of OpenTelemetry, where telemetry is off', async () => {
    const off = { ...endpoint, ...everything, OTEL_SDK_DISABLED: 'true' };
    const loaded = await loadedBy(off);
    expect(loaded.some((line) => line.endsWith('/src/telemetry/sdk.ts'))).toBe(true);
    expect([...packagesOf(loaded)]).toEqual([]);
  });

  it('would be seen', async () => {
    expect(packagesOf(await loadedBy(endpoint))).toContain('@opentelemetry/sdk-node');
  });
});

async function sentWith(environment: Record<string, string>): Promise<number> {
  const collector = await startCollector();
  const gateway = await startSending(collector, { OTEL_METRICS_EXPORTER: 'none', ...environment });
  await load(gateway, 100);
  await stop(gateway);
  return collector.requests();
}

describe('the address of the collector', () => {
  it('is the one for all signals', async () => {
    expect(await sentWith({})).toBeGreaterThan(0);
  });

  // `VARIABLE=` is a variable that is not set, for OpenTelemetry as for us.
  it('is the one for all signals where that for traces is empty', async () => {
    expect(await sentWith({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' })).toBeGreaterThan(0);
  });

  it('is refused where it is none', async () => {
    const gateway = await startSending({ url: 'nonsense' }).catch(String);
    expect(gateway).toContain('OTEL_EXPORTER_OTLP_ENDPOINT');
  });
});

describe('traces that OTEL_TRACES_EXPORTER=none keeps from being sent', () => {
  it('have no id that is none', async () => {
    const collector = await startCollector();
    const gateway = await startSending(collector, { OTEL_TRACES_EXPORTER: 'none' });
    const response = await fetch(`${await gateway.ready}/nowhere`);
    expect(await response.text()).not.toContain('0'.repeat(32));
  });
});
