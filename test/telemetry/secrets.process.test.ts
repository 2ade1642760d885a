import { describe, expect, it } from 'vitest';
import { run, shipped } from '../support/processes.ts';
import { startCollector } from './_collector.ts';
import { pathId, secrets } from './_leaky.ts';
import {
  beginnings,
  leaksIn,
  nowhere,
  production,
  startProcess,
  stopped,
  text,
} from './_production.ts';
import { attempt, headers, provoke } from './_provoke.ts';

function kindsIn(answers: ReadonlyMap<string, { text: string }>): string[] {
  const all = [...answers].flatMap(([, answer]) => [
    ...answer.text.matchAll(/urn:plait:problem:([\w-]+)/g),
  ]);
  return [...new Set(all.map(([, kind = '']) => kind))].toSorted();
}

const kinds = [
  'body-too-large',
  'deadline',
  'invalid-request',
  'map-failed',
  'method-not-allowed',
  'not-found',
  'response-mismatch',
  'unsupported-media-type',
  ...['404', '422', 'breaker-open', 'invalid-body', 'overloaded', 'reset', 'status'].map(
    (kind) => `upstream-${kind}`,
  ),
  'upstream-timeout',
  'upstream-too-large',
];

describe('a secret that is near', () => {
  it('reaches nobody in production, whatever goes wrong', async () => {
    const collector = await startCollector();
    const { gateway, url, admin } = await startProcess({
      ...production,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secrets.authorization}`,
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    const answers = await provoke(url);
    const attempts = await attempt(url);
    const metrics = await fetch(`${admin}/metrics`).then(text);
    const output = await stopped(gateway);
    const otlp = collector.received().toString('latin1');
    const sinks = {
      'what the collector got': otlp,
      metrics,
      output,
      ...Object.fromEntries([...answers].map(([name, answer]) => [name, answer.text])),
      attempts,
    };
    expect(leaksIn(sinks, beginnings)).toEqual([]);
    // An id of a path is where it belongs: in its own span, and in its own client's problem.
    expect(leaksIn({ metrics, output }, [['the id', pathId]])).toEqual([]);
    expect(otlp).toContain(pathId);
    const otherwise = otlp.replaceAll(/url\.path.{1,6}\/[\w/%-]*/gsu, '');
    expect(leaksIn({ 'what the collector got': otherwise }, [['the id', pathId]])).toEqual([]);

    // Neither the command line, nor where files are.
    expect(otlp).not.toContain('process.command');

    // All of it was there to be told.
    expect(kindsIn(answers)).toEqual(kinds);
    expect(otlp).toContain('/probe/{how}/{id}');
    expect(otlp).toContain('http.server.request.duration');
    expect(output.split('\n').length).toBeGreaterThan(answers.size);
    expect(output).toContain('GET /probe/{how}/{id} 499');
  });

  it('reaches nobody where there is too much to do', async () => {
    const collector = await startCollector();
    const { gateway, url } = await startProcess({
      ...production,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      SHED_DELAY_MS: '1',
      SHED_UTILISATION: '0.0001',
    });
    const path = `/tolerant/status-500/1?token=${secrets.query}`;
    let said = '';
    const ask = async (): Promise<void> => {
      const response = await fetch(url + path, { headers });
      said += JSON.stringify([...response.headers]) + (await response.text());
    };
    while (!said.includes('reason=shed') || !said.includes('problem:unavailable'))
      await Promise.all(Array.from({ length: 20 }, ask));
    const output = await stopped(gateway);
    const otlp = collector.received().toString('latin1');
    expect(leaksIn({ said, otlp, output }, beginnings)).toEqual([]);
    expect(otlp).toContain('plait.shed');
  });

  it('is not in the traces that are kept in development', async () => {
    const { gateway, url, admin } = await startProcess({ NODE_ENV: 'development' });
    const answers = await provoke(url);
    const sinks = {
      traces: await fetch(`${admin}/traces`).then(text),
      metrics: await fetch(`${admin}/metrics`).then(text),
      upstreams: await fetch(`${admin}/upstreams`).then(text),
      answers: JSON.stringify([...answers]),
    };
    await stopped(gateway);
    expect(leaksIn(sinks, beginnings)).toEqual([]);
    expect(sinks.traces).toContain('invalid-body');
  });
});

const withCredentials = (port: string) => `http://user:${secrets.credentials}@127.0.0.1:${port}`;
const start = (environment: Record<string, string>) =>
  run('bin/plait.js', ['start', ...shipped], {
    ...nowhere,
    ...production,
    PORT: '0',
    ...environment,
  });

describe('credentials in the environment', () => {
  it('are not repeated where they are refused', async () => {
    const gateways = [
      { ORDERS_URL: withCredentials('9') },
      { REDIS_URL: withCredentials('9') },
    ].map(start);
    for (const gateway of gateways) {
      expect(await gateway.exitCode).toBe(1);
      expect(gateway.errors()).toMatch(/ORDERS_URL|REDIS_URL/);
      expect(gateway.errors()).not.toContain(secrets.credentials);
    }
  });

  it('are not repeated where Redis and the collector are gone, or the collector quotes them', async () => {
    const quoting = await startCollector('failing', secrets.errorBody);
    const gateways = [withCredentials('9'), quoting.url].map((url) =>
      start({
        OTEL_EXPORTER_OTLP_ENDPOINT: url,
        OTEL_EXPORTER_OTLP_HEADERS: `authorization=${secrets.authorization}`,
        REDIS_URL: `redis://user:${secrets.credentials}@127.0.0.1:9`,
      }),
    );
    for (const gateway of gateways) {
      await fetch(`${await gateway.ready}/orders/ord_1/summary`);
      const output = await stopped(gateway);
      expect(output).toContain('Redis cannot be used');
      expect(output).toContain('The last traces could not be handed over');
      expect(leaksIn({ output }, beginnings)).toEqual([]);
    }
  });

  it('are not repeated where the address of the collector is none', async () => {
    const gateway = start({ OTEL_EXPORTER_OTLP_ENDPOINT: withCredentials('none') });
    await gateway.ready.catch(() => undefined);
    gateway.kill('SIGTERM');
    await gateway.exitCode;
    expect(gateway.errors()).not.toContain(secrets.credentials);
  });

  it('and arguments do not reach the collector where no detectors are set', async () => {
    const collector = await startCollector();
    const gateway = start({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_NODE_RESOURCE_DETECTORS: '',
    });
    await fetch(`${await gateway.ready}/orders/ord_1/summary`);
    await stopped(gateway);
    expect(collector.requests()).toBeGreaterThan(0);
    expect(collector.received().includes('process.command')).toBe(false);
  });
});
