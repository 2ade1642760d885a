import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const named = z.record(z.string(), z.unknown());

function read<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(parse(readFileSync(join(root, file), 'utf8')));
}

describe('otel-collector.yaml', () => {
  const pipeline = z.object({
    receivers: z.array(z.string()),
    processors: z.array(z.string()),
    exporters: z.array(z.string()),
  });
  const collector = read(
    'otel-collector.yaml',
    z.object({
      extensions: named,
      receivers: named,
      processors: named,
      exporters: named,
      connectors: named.default({}),
      service: z.object({
        extensions: z.array(z.string()),
        pipelines: z.record(z.string(), pipeline),
      }),
    }),
  );
  const { service, receivers, processors, exporters, connectors, extensions } = collector;

  it('defines every component its pipelines name', () => {
    expect(Object.keys(extensions)).toEqual(expect.arrayContaining(service.extensions));
    for (const one of Object.values(service.pipelines)) {
      expect(Object.keys({ ...receivers, ...connectors })).toEqual(
        expect.arrayContaining(one.receivers),
      );
      expect(Object.keys(processors)).toEqual(expect.arrayContaining(one.processors));
      expect(Object.keys({ ...exporters, ...connectors })).toEqual(
        expect.arrayContaining(one.exporters),
      );
    }
  });

  it('limits its memory before anything else', () => {
    for (const one of Object.values(service.pipelines))
      expect(one.processors[0]).toBe('memory_limiter');
  });

  it('uses no name of yesterday', () => {
    const types = Object.keys({ ...receivers, ...processors, ...exporters, ...connectors }).map(
      (name) => name.split('/')[0],
    );
    for (const old of ['otlphttp', 'batch', 'spanmetrics', 'jaeger', 'logging'])
      expect(types).not.toContain(old);
    expect(Object.keys(exporters).map((name) => name.split('/')[0])).not.toContain('otlp');
  });
});

describe('compose.yaml', () => {
  it('brings gateway, mocks, collector and Jaeger, and gives the gateway every address', () => {
    const { services } = read('compose.yaml', z.object({ services: z.record(z.string(), named) }));
    expect(Object.keys(services)).toEqual(['gateway', 'mocks', 'collector', 'jaeger']);
    expect(services['gateway']?.['environment']).toMatchObject({
      ORDERS_URL: expect.any(String),
      PAYMENTS_URL: expect.any(String),
      SHIPPING_URL: expect.any(String),
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
    ['hono', '4.12.21'],
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
