import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const named = z.record(z.string(), z.unknown());

/** The common part of the collector's file and Jaeger's: Jaeger 2 is built on the collector. */
const pipelines = z.object({
  extensions: named,
  receivers: named,
  processors: named.default({}),
  exporters: named,
  connectors: named.default({}),
  service: z.object({
    extensions: z.array(z.string()),
    pipelines: z.record(
      z.string(),
      z.object({
        receivers: z.array(z.string()),
        processors: z.array(z.string()).default([]),
        exporters: z.array(z.string()),
      }),
    ),
  }),
});
type Pipelines = z.infer<typeof pipelines>;

function read<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(parse(readFileSync(join(root, file), 'utf8')));
}

describe.each(['otel-collector.yaml', 'jaeger.yaml'])('%s', (file) => {
  const config = read(file, pipelines);
  const used = Object.values(config.service.pipelines);

  it('defines every component that its pipelines name', () => {
    expect(unresolved(config)).toEqual([]);
  });

  it('defines no component that nothing names', () => {
    const { receivers, processors, exporters, connectors, extensions, service } = config;
    const inPipelines = used.flatMap((one) => [
      ...one.receivers,
      ...one.processors,
      ...one.exporters,
    ]);
    expect(inPipelines).toEqual(
      expect.arrayContaining(
        Object.keys({ ...receivers, ...processors, ...exporters, ...connectors }),
      ),
    );
    expect(service.extensions).toEqual(expect.arrayContaining(Object.keys(extensions)));
  });

  it('leads every connector from a pipeline to another', () => {
    for (const name of Object.keys(config.connectors)) {
      const from = used.filter((one) => one.exporters.includes(name));
      const to = used.filter((one) => one.receivers.includes(name));
      expect(from.length, name).toBeGreaterThan(0);
      expect(to.length, name).toBeGreaterThan(0);
      expect(from.filter((one) => to.includes(one))).toEqual([]);
    }
  });

  it('uses no name of yesterday', () => {
    const { receivers, processors, exporters, connectors } = config;
    for (const old of ['otlphttp', 'batch', 'spanmetrics', 'jaeger', 'logging'])
      expect(typesOf({ ...receivers, ...processors, ...exporters, ...connectors })).not.toContain(
        old,
      );
    expect(typesOf(exporters)).not.toContain('otlp');
  });
});

describe('otel-collector.yaml', () => {
  const { service, processors, connectors, exporters } = read('otel-collector.yaml', pipelines);

  it('limits its memory before anything else', () => {
    for (const one of Object.values(service.pipelines))
      expect(one.processors[0]).toBe('memory_limiter');
  });

  it('measures spans before it samples them', () => {
    const measured = Object.values(service.pipelines).filter((one) =>
      one.exporters.includes('span_metrics'),
    );
    for (const one of measured) expect(one.processors).toEqual(['memory_limiter']);
  });

  it('counts the spans of degraded responses by themselves', () => {
    const { span_metrics: spans } = z
      .object({ span_metrics: z.object({ dimensions: z.array(z.object({ name: z.string() })) }) })
      .parse(connectors);
    expect(spans.dimensions).toContainEqual({ name: 'plait.partial' });
  });

  // What 4xx of services mark is their CLIENT span only, and they are ordinary.
  it('keeps every trace with an error that is no 4xx, a long duration or a degraded answer', () => {
    const isError = 'span.status.code == STATUS_CODE_ERROR';
    const status = 'span.attributes["http.response.status_code"]';
    const { tail_sampling: sampling } = z
      .object({ tail_sampling: z.object({ policies: z.array(named) }) })
      .parse(processors);
    expect(sampling.policies).toMatchObject([
      {
        type: 'ottl_condition',
        ottl_condition: {
          span: [
            `${isError} and span.kind != SPAN_KIND_CLIENT`,
            `${isError} and (${status} == nil or ${status} < 400 or ${status} >= 500)`,
          ],
        },
      },
      { type: 'latency', latency: { threshold_ms: 500 } },
      { type: 'boolean_attribute', boolean_attribute: { key: 'plait.partial', value: true } },
      { type: 'probabilistic' },
    ]);
  });

  it('batches in the queue of the exporter to Jaeger', () => {
    expect(exporters['otlp_grpc/jaeger']).toMatchObject({
      endpoint: 'jaeger:4317',
      sending_queue: { batch: {} },
    });
  });
});

describe('jaeger.yaml', () => {
  const { extensions, exporters } = read('jaeger.yaml', pipelines);
  const prometheus = z.object({
    prometheus: z.object({
      endpoint: z.string(),
      metric_namespace: z.string(),
      latency_unit: z.string(),
      normalize_calls: z.boolean(),
      normalize_duration: z.boolean(),
    }),
  });
  const { jaeger_storage: storage, jaeger_query: query } = z
    .object({
      jaeger_storage: z.object({
        backends: named,
        metric_backends: z.record(z.string(), prometheus),
      }),
      jaeger_query: z.object({
        storage: z.object({ traces: z.string(), metrics: z.string() }),
      }),
    })
    .parse(extensions);

  it('reads traces where it writes them, and metrics from a store it knows', () => {
    expect(Object.keys(storage.backends)).toContain(query.storage.traces);
    expect(Object.keys(storage.metric_backends)).toContain(query.storage.metrics);
    expect(exporters['jaeger_storage_exporter']).toEqual({ trace_storage: query.storage.traces });
  });

  it('asks for span metrics by the names the collector gives them', () => {
    const { connectors } = read('otel-collector.yaml', pipelines);
    const { span_metrics: spans } = z
      .object({
        span_metrics: z.object({
          namespace: z.string(),
          histogram: z.object({ unit: z.string() }),
        }),
      })
      .parse(connectors);
    expect(storage.metric_backends[query.storage.metrics]?.prometheus).toMatchObject({
      metric_namespace: spans.namespace.replaceAll('.', '_'),
      latency_unit: spans.histogram.unit,
      normalize_calls: true,
      normalize_duration: true,
    });
  });
});

describe('prometheus.yml', () => {
  it('scrapes what the collector offers: the metrics of the services, and its own', () => {
    const { scrape_configs: jobs } = read(
      'prometheus.yml',
      z.object({
        scrape_configs: z.array(
          z.object({ static_configs: z.array(z.object({ targets: z.array(z.string()) })) }),
        ),
      }),
    );
    const offered = read(
      'otel-collector.yaml',
      z.object({
        exporters: z.object({ prometheus: z.object({ endpoint: z.string() }) }),
        service: z.object({
          telemetry: z.object({
            metrics: z.object({
              readers: z.tuple([
                z.object({
                  pull: z.object({
                    exporter: z.object({ prometheus: z.object({ port: z.number() }) }),
                  }),
                }),
              ]),
            }),
          }),
        }),
      }),
    );
    const [own] = offered.service.telemetry.metrics.readers;
    expect(jobs.flatMap((job) => job.static_configs.flatMap(({ targets }) => targets))).toEqual([
      `collector:${portOf(offered.exporters.prometheus.endpoint)}`,
      `collector:${own.pull.exporter.prometheus.port}`,
    ]);
  });
});

const { services } = read(
  'compose.yaml',
  z.object({
    services: z.record(
      z.string(),
      z.object({
        image: z.string().optional(),
        environment: z.record(z.string(), z.string()).default({}),
        ports: z.array(z.string()).default([]),
        volumes: z.array(z.string()).default([]),
        healthcheck: z.object({ test: z.array(z.string()) }).optional(),
        depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
      }),
    ),
  }),
);

describe('compose.yaml', () => {
  it('brings what shows its traces and metrics, and gives the gateway every address', () => {
    expect(Object.keys(services)).toEqual([
      'gateway',
      'mocks',
      'collector',
      'jaeger',
      'prometheus',
      'grafana',
    ]);
    expect(services['gateway']?.environment).toMatchObject({
      ORDERS_URL: expect.any(String),
      PAYMENTS_URL: expect.any(String),
      SHIPPING_URL: expect.any(String),
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_METRICS_EXPORTER: 'otlp',
      // The collector can only choose from what it gets.
      OTEL_TRACES_SAMPLER: 'always_on',
    });
  });

  it('mounts files that exist, where the command or the image looks for them', () => {
    const mounts = Object.values(services).flatMap(({ volumes }) =>
      volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    expect(mounts).toEqual([
      './otel-collector.yaml',
      './jaeger.yaml',
      './prometheus.yml',
      './deploy/prometheus/alerts.yml',
      './deploy/grafana/provisioning',
      './deploy/grafana/plait.json',
    ]);
    for (const file of mounts) expect(existsSync(join(root, file)), file).toBe(true);
  });

  it('waits only for services it brings, and for their health where there is a check of it', () => {
    const needed = Object.values(services).flatMap((one) => Object.entries(one.depends_on));
    for (const [name, { condition }] of needed) {
      expect(Object.keys(services)).toContain(name);
      const isChecked = services[name]?.healthcheck !== undefined;
      expect(condition, name).toBe(isChecked ? 'service_healthy' : 'service_started');
    }
  });

  it('lets Jaeger start alone, with the port that npm run dev sends to', () => {
    expect(services['jaeger']?.depends_on).toEqual({});
    expect(services['jaeger']?.ports).toContain('127.0.0.1:4318:4318');
  });

  it('pins every image and opens no port to other machines', () => {
    const images = Object.values(services).flatMap(({ image }) => image ?? []);
    for (const image of images) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/);
    for (const port of Object.values(services).flatMap(({ ports }) => ports))
      expect(port).toMatch(/^127\.0\.0\.1:/);
  });
});

describe('grafana', () => {
  const folder = 'deploy/grafana/provisioning';
  const grafana = services['grafana'];
  const { datasources } = read(
    `${folder}/datasources/plait.yml`,
    z.object({
      apiVersion: z.literal(1),
      datasources: z.array(
        z.object({
          uid: z.string(),
          type: z.string(),
          url: z.url(),
          isDefault: z.boolean().default(false),
          jsonData: z.object({ timeInterval: z.string() }).optional(),
        }),
      ),
    }),
  );
  const mountOf = (file: string): string =>
    grafana?.volumes.find((volume) => volume.startsWith(`./${file}:`))?.split(':')[1] ?? '';

  it('asks services that are brought, at ports that they open', () => {
    expect(datasources.map(({ type }) => type)).toEqual(['prometheus', 'jaeger']);
    for (const { type, url } of datasources) {
      const { hostname, port } = new URL(url);
      expect(hostname).toBe(type);
      expect(services[type]?.ports).toContain(`127.0.0.1:${port}:${port}`);
    }
  });

  it('has as default the Prometheus that the dashboard names, with the interval of its scrapes', () => {
    const { templating } = read(
      'deploy/grafana/plait.json',
      z.object({
        templating: z.object({
          list: z.array(z.object({ name: z.string(), current: z.object({ value: z.unknown() }) })),
        }),
      }),
    );
    const { global } = read(
      'prometheus.yml',
      z.object({ global: z.object({ scrape_interval: z.string() }) }),
    );
    const used = templating.list.find(({ name }) => name === 'datasource')?.current.value;
    expect(datasources.filter(({ isDefault }) => isDefault)).toMatchObject([
      { type: 'prometheus', uid: used, jsonData: { timeInterval: global.scrape_interval } },
    ]);
  });

  it('finds the dashboard where it is mounted, and opens it first', () => {
    const { providers } = read(
      `${folder}/dashboards/plait.yml`,
      z.object({ providers: z.array(z.object({ options: z.object({ path: z.string() }) })) }),
    );
    const file = mountOf('deploy/grafana/plait.json');
    expect(mountOf(folder)).toBe('/etc/grafana/provisioning');
    expect(providers.map(({ options }) => options.path)).toEqual([dirname(file)]);
    expect(grafana?.environment).toMatchObject({
      GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH: file,
      GF_AUTH_ANONYMOUS_ENABLED: 'true',
      GF_AUTH_ANONYMOUS_ORG_ROLE: 'Viewer',
    });
  });
});

describe('package.json', () => {
  const manifest = read(
    'package.json',
    z.object({
      dependencies: z.record(z.string(), z.string()),
      devDependencies: z.record(z.string(), z.string()),
    }),
  );
  const all = { ...manifest.dependencies, ...manifest.devDependencies };

  it('pins every version', () => {
    for (const [name, version] of Object.entries(all))
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  });

  it('locks the binaries of every platform, so that npm ci works on all of them', () => {
    const locked = z.record(z.string(), z.object({ optionalDependencies: named.default({}) }));
    const { packages } = read('package-lock.json', z.object({ packages: locked }));
    const optional = Object.values(packages).flatMap((one) =>
      Object.keys(one.optionalDependencies),
    );
    expect(optional.length).toBeGreaterThan(0);
    for (const name of optional) expect(Object.keys(packages)).toContain(`node_modules/${name}`);
  });

  // Below these are known faults: traces attached to the wrong request, advisories, renamed APIs.
  it.each([
    ['undici', '8.12.4'],
    ['node', '26.0.0'],
    ['@opentelemetry/api', '1.10.0'],
  ])('keeps %s at %s or later', (name, floor) => {
    const installed = z
      .object({ version: z.string() })
      .parse(JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')));
    expect(compareVersions(installed.version, floor)).toBeGreaterThanOrEqual(0);
  });
});

function compareVersions(one: string, other: string): number {
  return one.localeCompare(other, undefined, { numeric: true });
}

/**
 * Names that pipelines and extensions use and nothing defines. A connector is an exporter, then a
 * receiver.
 */
function unresolved({ service, ...defined }: Pipelines): string[] {
  const { receivers, processors, exporters, connectors, extensions } = defined;
  return [
    ...missing(service.extensions, extensions),
    ...Object.values(service.pipelines).flatMap((one) => [
      ...missing(one.receivers, { ...receivers, ...connectors }),
      ...missing(one.processors, processors),
      ...missing(one.exporters, { ...exporters, ...connectors }),
    ]),
  ];
}

function missing(names: string[], defined: object): string[] {
  return names.filter((name) => !Object.keys(defined).includes(name));
}

/** `otlp_grpc/jaeger` is a component of type `otlp_grpc`. */
function typesOf(components: object): string[] {
  return Object.keys(components).map((name) => name.split('/')[0] ?? name);
}

function portOf(endpoint: string): string {
  return endpoint.slice(endpoint.lastIndexOf(':') + 1);
}
