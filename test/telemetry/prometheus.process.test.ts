import { describe, expect, it } from 'vitest';
import { adminOf, run, runMocks, shipped } from '../support/processes.ts';
import type { Program } from '../support/processes.ts';

const nowhere = {
  ORDERS_URL: 'http://127.0.0.1:9,http://127.0.0.1:7',
  PAYMENTS_URL: 'http://127.0.0.1:9',
  SHIPPING_URL: 'http://127.0.0.1:9',
};

function start(environment: Record<string, string>): Program {
  return run('bin/plait.js', ['start', ...shipped], {
    PORT: '0',
    LOG_LEVEL: 'fatal',
    ...environment,
  });
}

/** The values of a metric, by its labels without those that differ between machines. */
async function valuesOf(gateway: Program, name: string): Promise<Record<string, number>> {
  const response = await fetch(`${adminOf(gateway)}/metrics`);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const lines = (await response.text()).split('\n').filter((line) => /^\w/.test(line));
  return Object.fromEntries(
    lines
      .map((line) => /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [line])
      .filter(([, found]) => found === name)
      .map(([, , labels = '', value]) => [
        labels.replace(/,?otel_scope_name="plait"/, '').replaceAll('"', ''),
        Number(value),
      ]),
  );
}

describe('/metrics', () => {
  it('says how services, the event loop and requests are, where the gateway is managed', async () => {
    const services = await runMocks();
    const gateway = start({
      ...services,
      ORDERS_URL: `${services['ORDERS_URL']},http://127.0.0.1:9`,
    });
    const url = await gateway.ready;
    await fetch(`${url}/orders/ord_1001/summary`);

    const breaker = await valuesOf(gateway, 'plait_breaker_state');
    expect(Object.keys(breaker)).toHaveLength(9);
    expect(breaker).toMatchObject({
      'plait_service=payments,plait_state=closed': 1,
      'plait_service=payments,plait_state=half-open': 0,
      'plait_service=payments,plait_state=open': 0,
    });
    const idle = {
      'plait_service=orders': 0,
      'plait_service=payments': 0,
      'plait_service=shipping': 0,
    };
    expect(await valuesOf(gateway, 'plait_bulkhead_in_flight')).toEqual(idle);
    expect(await valuesOf(gateway, 'plait_bulkhead_waiting')).toEqual(idle);
    expect(await valuesOf(gateway, 'plait_endpoints')).toMatchObject({
      'plait_service=orders,plait_state=used': 2,
      'plait_service=orders,plait_state=ejected': 0,
      'plait_service=orders,plait_state=unwell': 0,
      'plait_service=payments,plait_state=used': 1,
    });
    const route = 'network_protocol_version=1.1,http_route=/orders/{orderId}/summary';
    expect(await valuesOf(gateway, 'http_server_request_duration_seconds_count')).toEqual({
      [`http_request_method=GET,http_response_status_code=200,url_scheme=http,${route}`]: 1,
    });
    const [pressure, busy, late, memory] = await Promise.all(
      [
        'plait_overload_pressure_ratio',
        'nodejs_eventloop_utilization_ratio',
        'nodejs_eventloop_delay_max_seconds',
        'process_memory_usage_bytes',
      ].map(async (name) => (await valuesOf(gateway, name))['']),
    );
    expect(pressure).toBeGreaterThanOrEqual(0);
    expect(busy).toBeGreaterThanOrEqual(0);
    expect(busy).toBeLessThanOrEqual(1);
    // In seconds.
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(5);
    expect(memory).toBeGreaterThan(20_000_000);
  });

  it('shows a breaker that is open, and calls in flight', async () => {
    const gateway = start(nowhere);
    const url = await gateway.ready;
    for (let count = 0; count < 25; count += 1) await fetch(`${url}/orders/ord_1001/summary`);
    expect(await valuesOf(gateway, 'plait_breaker_state')).toMatchObject({
      'plait_service=orders,plait_state=open': 1,
      'plait_service=orders,plait_state=closed': 0,
    });
    expect(await valuesOf(gateway, 'plait_endpoints')).toMatchObject({
      'plait_service=orders,plait_state=ejected': 1,
      'plait_service=orders,plait_state=used': 1,
    });
  });

  it('is nothing for the public', async () => {
    const gateway = start(nowhere);
    const url = await gateway.ready;
    for (const path of ['/metrics', '/metrics/', '/%6detrics', '/traces', '/log']) {
      const response = await fetch(url + path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).not.toContain('plait_');
    }
  });

  it('is not there where telemetry is off', async () => {
    const gateway = start({ ...nowhere, OTEL_SDK_DISABLED: 'TRUE' });
    await gateway.ready;
    expect((await fetch(`${adminOf(gateway)}/metrics`)).status).toBe(404);
    expect((await fetch(`${adminOf(gateway)}/log`)).status).toBe(200);
  });
});

describe('OTEL_METRICS_EXPORTER', () => {
  const collector = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };

  it.each([{}, collector])('is not prometheus, and says why, with %j', async (environment) => {
    const gateway = start({ ...nowhere, ...environment, OTEL_METRICS_EXPORTER: 'prometheus' });
    expect(await gateway.exitCode).toBe(1);
    expect(gateway.errors().trim()).toBe(
      'OTEL_METRICS_EXPORTER is "prometheus". Use otlp or none; Prometheus reads /metrics on the management side.',
    );
    expect(gateway.lines).toEqual([]);
  });

  it('is sent by a protocol that there is', async () => {
    const gateway = start({
      ...nowhere,
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'pigeon',
    });
    expect(await gateway.exitCode).toBe(1);
    expect(gateway.errors()).toContain(
      'OTEL_EXPORTER_OTLP_PROTOCOL is "pigeon". Use http/protobuf',
    );
  });

  // NaN becomes an interval of a millisecond, 0 an error with a stack.
  it.each(['often', '0', '-1'])('is not sent every %j ms, and says so', async (interval) => {
    const gateway = start({
      ...nowhere,
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_METRIC_EXPORT_INTERVAL: interval,
    });
    void gateway.ready.then(() => gateway.kill()).catch(() => undefined);
    await gateway.exitCode;
    expect(gateway.errors()).toMatch(/^OTEL_METRIC_EXPORT_INTERVAL is /);
  });
});
