import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineService } from 'plait';
import { describe, expect, it } from 'vitest';
import { loopback } from '../../src/network.ts';
import { ConfigurationError } from '../../src/errors.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import type { Settings } from '../../src/settings/settings.ts';
import { adminVariables } from '../../src/settings/admin.ts';
import { tlsVariables } from '../../src/settings/tls.ts';

const read = (environment: Record<string, string>): Settings => parseSettings(environment, []);
const sdk = (environment: Record<string, string>) => read(environment).telemetry.sdk;
const isOurs = (name: string): boolean => !name.startsWith('OTEL_');

/** Every message, but for addresses, REDIS_URL and TLS: they have files of their own. */
const messages: readonly (readonly [string, string, string])[] = [
  ['PORT', 'x', 'is "x". Use a whole number from 0 to 65535.'],
  ['PORT', '80 80', 'is "80 80". Use a whole number from 0 to 65535.'],
  ...['0x50', '8e1', '-0', '+80', '80.0'].map((text): [string, string, string] => [
    'PORT',
    text,
    `is ${JSON.stringify(text)}. Use a whole number from 0 to 65535.`,
  ]),
  ['PORT', '65536', 'is "65536". Use a whole number from 0 to 65535.'],
  [
    'PORT',
    'http://a:b@c',
    'is a value that is not shown here. Use a whole number from 0 to 65535.',
  ],
  ['ADMIN_PORT', '-1', 'is "-1". Use a whole number from 0 to 65535.'],
  ['MOCKS_BASE_PORT', '4001.5', 'is "4001.5". Use a whole number from 0 to 65535.'],
  ...[
    'api',
    '/api/',
    '//api',
    '/api//v1',
    '/:id',
    '/api/../x',
    '/a b',
    '/livez',
    'http://x/api',
  ].map((text): [string, string, string] => [
    'BASE_PATH',
    text,
    `is ${JSON.stringify(text)}. Use a path without a slash at the end, of letters, digits and . _ ~ -, as in /api.`,
  ]),
  ['UNKNOWN_QUERY', 'drop', 'is "drop". Use refuse or ignore.'],
  ['NODE_ENV', 'staging', 'is "staging". Use production, development or test.'],
  ['SHUTDOWN_DELAY_MS', '1h', 'is "1h". Use a whole number of milliseconds from 0 to 60000.'],
  [
    'HANG_LIMIT_MS',
    '999',
    'is "999". Use a whole number of milliseconds from 1000 to 600000, or off.',
  ],
  [
    'HANG_LIMIT_MS',
    'never',
    'is "never". Use a whole number of milliseconds from 1000 to 600000, or off.',
  ],
  ['SHED_DELAY_MS', '0', 'is "0". Use a whole number of milliseconds of at least 1.'],
  ['SHED_UTILISATION', '0', 'is "0". Use a number above 0 and up to 1, as in 0.95.'],
  ['SHED_UTILISATION', '1.01', 'is "1.01". Use a number above 0 and up to 1, as in 0.95.'],
  ['SHED_UTILISATION', 'half', 'is "half". Use a number above 0 and up to 1, as in 0.95.'],
  ['LOG_LEVEL', 'loud', 'is "loud". Use trace, debug, info, warn, error, fatal or silent.'],
  ['LOG_FORMAT', 'xml', 'is "xml". Use json or text.'],
  [
    'LOG_HEADERS',
    'user-agent, Cookie',
    'contains "Cookie". Use header names whose values are no secrets, separated by commas, ' +
      'as in user-agent, x-tenant.',
  ],
  ['SERVER_TIMING', 'yes', 'is "yes". Use on or off.'],
  [
    'TRUSTED_PEERS',
    '::1, 10.0.0.0/33',
    'contains "10.0.0.0/33". Use addresses and networks separated by commas, ' +
      'as in 10.0.0.0/8, ::1.',
  ],
  [
    'TRACE_QUERY',
    'limit, access_token',
    'contains "access_token". Use names of query parameters whose values are no secrets, ' +
      'separated by commas, as in limit, page.',
  ],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'x:4318', notUrl('"x:4318"')],
  ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'ftp://x', notUrl('"ftp://x"')],
  ['OTEL_EXPORTER_OTLP_ENDPOINT', 'u:hunter2@x', notUrl('a value that is not shown here')],
  [
    'OTEL_TRACES_SAMPLER',
    'some',
    'is "some". Use always_on, parentbased_always_on, always_off, parentbased_always_off, ' +
      'traceidratio or parentbased_traceidratio.',
  ],
  ['OTEL_TRACES_SAMPLER_ARG', '10%', 'is "10%". Use a number from 0 to 1, as in 0.1.'],
  [
    'OTEL_METRICS_EXPORTER',
    'prometheus',
    'is "prometheus". Use otlp or none; Prometheus reads /metrics on the management side.',
  ],
  [
    'OTEL_METRIC_EXPORT_INTERVAL',
    '1m',
    'is "1m". Use a whole number of milliseconds from 1 to 2147483647.',
  ],
  [
    'OTEL_METRIC_EXPORT_INTERVAL',
    '2147483648',
    'is "2147483648". Use a whole number of milliseconds from 1 to 2147483647.',
  ],
  ['OTEL_EXPORTER_OTLP_PROTOCOL', 'udp', 'is "udp". Use http/protobuf, http/json or grpc.'],
  [
    'ALLOWED_HOSTS',
    'https://api.example.com',
    'contains "https://api.example.com". Use host names separated by commas, without scheme and ' +
      'port, as in api.example.com.',
  ],
  [
    'REQUESTS_PER_ADDRESS',
    '-1',
    'is "-1". Use a whole number of requests from 1 to 1000000, or off.',
  ],
  [
    'REQUESTS_IN_PROGRESS',
    'x',
    'is "x". Use a whole number of requests from 1 to 1000000, or off.',
  ],
  [
    'CONNECTIONS_PER_ADDRESS',
    '1.5',
    'is "1.5". Use a whole number of connections from 1 to 1000000, or off.',
  ],
  ...['HEADERS', 'REQUEST', 'KEEP_ALIVE', 'WRITE'].map(
    (what) =>
      [
        `${what}_TIMEOUT_MS`,
        '10',
        'is "10". Use a whole number of milliseconds from 1000 to 3600000.',
      ] as const,
  ),
  ['OTEL_EXPORTER_OTLP_METRICS_PROTOCOL', 'x', 'is "x". Use http/protobuf, http/json or grpc.'],
];

function notUrl(found: string): string {
  return `is ${found}. Use an http or https URL, as in http://127.0.0.1:4318.`;
}

describe('a variable that cannot be used', () => {
  it.each(messages)('%s=%s is refused: it %s', (name, text, message) => {
    expect(() => read({ [name]: text })).toThrow(new ConfigurationError(`${name} ${message}`));
  });

  it('is reported together with all others, one line each, in one error', () => {
    const wrong = Object.fromEntries(messages.map(([name, text]) => [name, text]));
    const services = ['shop', 'bank'].map((name) =>
      defineService({ name, url: { env: `${name.toUpperCase()}_URL` } }),
    );
    const environment = {
      ...wrong,
      // An argument is looked at only where the sampler takes one.
      OTEL_TRACES_SAMPLER: 'parentbased_some_traceidratio',
      REDIS_URL: 'http://user:hunter2@x',
      BANK_URL: 'nowhere',
    };
    let lines: readonly string[] = [];
    try {
      parseSettings(environment, services);
    } catch (error) {
      lines = String(error).split('\n');
    }
    const names = lines.map((line) => line.replace('ConfigurationError: ', '').split(' ')[0]);
    expect(names.toSorted()).toEqual([...Object.keys(environment), 'SHOP_URL'].toSorted());
    expect(lines.join('\n')).not.toContain('hunter2');
  });

  it.each(['authorization', 'Cookie', 'PROXY-AUTHORIZATION', 'set-cookie', 'X-Api-Key'])(
    'LOG_HEADERS does not take %s, whose value is a secret',
    (name) => {
      expect(() => read({ LOG_HEADERS: `user-agent,${name}` })).toThrow(
        `LOG_HEADERS contains "${name}". Use header names whose values are no secrets`,
      );
    },
  );

  it.each(['a b', 'x-ü', 'a,,b', 'a:b', 'a\nb'])('LOG_HEADERS does not take %j', (text) => {
    expect(() => read({ LOG_HEADERS: text })).toThrow('LOG_HEADERS contains');
  });
});

describe('the settings', () => {
  const unset = {
    mode: 'development',
    basePath: '',
    unknownQuery: 'refuse',
    server: {
      host: '127.0.0.1',
      port: 8080,
      admin: { host: '127.0.0.1', port: undefined, token: undefined },
      shutdownDelayMs: 0,
      sockets: {
        headersTimeoutMs: 10_000,
        requestTimeoutMs: 30_000,
        keepAliveTimeoutMs: 75_000,
        writeTimeoutMs: 30_000,
        connectionsPerAddress: undefined,
        trustedPeers: [],
      },
    },
    edge: { isDevelopment: true, trustedPeers: [], requestsPerAddress: 100, requests: 4_096 },
    overload: { delayMs: 150, utilisation: 0.95 },
    log: { level: 'info', format: 'text', headers: [] },
    telemetry: {
      serverTiming: true,
      trustedPeers: loopback,
      query: [],
      sdk: {
        traces: 'kept',
        collector: undefined,
        sampler: { root: 'always_on', parentBased: true, ratio: 0.1 },
        metricsExport: undefined,
      },
    },
    redis: undefined,
    addresses: new Map(),
    openSecrets: expect.any(Function),
    mocksBasePort: 4001,
    hangLimitMs: undefined,
  };

  it('have defaults for development', () => {
    expect(read({})).toEqual(unset);
    expect(read({ NODE_ENV: 'test' })).toEqual(unset);
  });

  it.each([
    ['off', undefined],
    ['0', undefined],
    ['1000', 1_000],
  ])('take HANG_LIMIT_MS=%s', (text, hangLimitMs) => {
    expect(read({ NODE_ENV: 'production', HANG_LIMIT_MS: text })).toMatchObject({ hangLimitMs });
  });

  it('have defaults for production', () => {
    expect(read({ NODE_ENV: 'production' })).toEqual({
      ...unset,
      mode: 'production',
      edge: { ...unset.edge, isDevelopment: false },
      hangLimitMs: 10_000,
      server: { ...unset.server, host: '0.0.0.0', shutdownDelayMs: 5_000 },
      log: { ...unset.log, format: 'json' },
      telemetry: {
        ...unset.telemetry,
        serverTiming: false,
        trustedPeers: [],
        sdk: {
          ...unset.telemetry.sdk,
          traces: 'none',
          sampler: { root: 'traceidratio', parentBased: true, ratio: 0.1 },
        },
      },
    });
  });

  it('are the defaults where variables are empty', () => {
    const names = messages.map(([name]) => name);
    expect(read(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(unset);
  });

  it('are what the variables say', () => {
    const settings = read({
      NODE_ENV: 'production',
      HOST: '::1',
      PORT: '0',
      ADMIN_PORT: '9000',
      SHUTDOWN_DELAY_MS: '0',
      BASE_PATH: '/api/v1',
      UNKNOWN_QUERY: 'ignore',
      SHED_DELAY_MS: '1',
      SHED_UTILISATION: '1',
      LOG_LEVEL: 'trace',
      LOG_FORMAT: 'text',
      LOG_HEADERS: 'User-Agent, x-tenant',
      SERVER_TIMING: 'on',
      TRUSTED_PEERS: '10.1.2.3/8, ::1',
      TRACE_QUERY: 'limit, filter[status]',
      REDIS_URL: 'redis://cache',
      ALLOWED_HOSTS: 'API.example.com, [::1]',
      REQUESTS_PER_ADDRESS: 'off',
      REQUESTS_IN_PROGRESS: '10',
      CONNECTIONS_PER_ADDRESS: '5',
      WRITE_TIMEOUT_MS: '1000',
      MOCKS_BASE_PORT: '5001',
    });
    expect(settings).toMatchObject({
      basePath: '/api/v1',
      unknownQuery: 'ignore',
      server: {
        host: '::1',
        port: 0,
        admin: { port: 9000 },
        shutdownDelayMs: 0,
        sockets: { connectionsPerAddress: 5, writeTimeoutMs: 1_000 },
      },
      edge: {
        allowedHosts: ['api.example.com', '[::1]'],
        requestsPerAddress: Infinity,
        requests: 10,
      },
      overload: { delayMs: 1, utilisation: 1 },
      log: { level: 'trace', format: 'text', headers: ['user-agent', 'x-tenant'] },
      redis: { host: 'cache', port: 6379, db: 0 },
      mocksBasePort: 5001,
    });
    expect(settings.telemetry).toMatchObject({
      serverTiming: true,
      query: ['limit', 'filter[status]'],
      trustedPeers: [
        { address: '10.1.2.3', bits: 8, family: 'ipv4' },
        { address: '::1', bits: 128, family: 'ipv6' },
      ],
    });
    expect(read({ SERVER_TIMING: 'off' }).telemetry.serverTiming).toBe(false);
  });
});

describe('the variables of OpenTelemetry', () => {
  const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

  it('send traces to the endpoint for traces, or else to the one for everything', () => {
    const own = 'http://user:secret@traces:4318/v1/traces';
    expect(sdk(endpoint)).toMatchObject({ traces: 'sent', collector: 'http://collector:4318' });
    const { collector } = sdk({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: own }) ?? {};
    expect(collector).toBe('http://traces:4318');
    expect(sdk({ ...endpoint, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: '' })?.traces).toBe('sent');
  });

  it('send no traces with OTEL_TRACES_EXPORTER=none', () => {
    const none = { ...endpoint, OTEL_TRACES_EXPORTER: 'none' };
    expect(sdk(none)?.traces).toBe('kept');
    expect(sdk({ ...none, NODE_ENV: 'production' })?.traces).toBe('none');
  });

  it('send metrics only when that is asked for, by the most particular protocol', () => {
    const otlp = { OTEL_METRICS_EXPORTER: 'otlp' };
    expect(sdk(endpoint)?.metricsExport).toBeUndefined();
    expect(sdk(otlp)?.metricsExport).toEqual({ protocol: 'http/protobuf', intervalMs: 60_000 });
    const grpc = { ...otlp, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };
    expect(sdk({ ...grpc, OTEL_METRIC_EXPORT_INTERVAL: '15000' })?.metricsExport).toEqual({
      protocol: 'grpc',
      intervalMs: 15_000,
    });
    const json = { ...grpc, OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json' };
    expect(sdk(json)?.metricsExport?.protocol).toBe('http/json');
  });

  it.each(['true', 'TRUE'])('are not looked at with OTEL_SDK_DISABLED=%s', (text) => {
    const others = messages.filter(([name]) => name.startsWith('OTEL_'));
    const wrong = Object.fromEntries(others.map(([name, value]) => [name, value]));
    expect(sdk({ ...wrong, OTEL_SDK_DISABLED: text })).toBeUndefined();
    expect(() => sdk({ ...wrong, OTEL_SDK_DISABLED: 'false' })).toThrow(ConfigurationError);
  });

  it('leave the argument of a sampler without a ratio alone', () => {
    const remote = { OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: 'x=1' };
    expect(sdk(remote)?.sampler.root).toBe('always_on');
  });
});

describe('the reference', () => {
  const page = join(import.meta.dirname, '../../docs/reference/operations.md');
  const text = readFileSync(page, 'utf8');
  const rows = text.match(/^\| `[A-Z_]+`.*$/gm) ?? [];

  it('lists every variable that is read, and none that is not', () => {
    const listed = rows.flatMap((row) => row.split('|')[1]?.match(/[A-Z_]+(?=`)/g) ?? []);
    const ofFiles = Object.keys({ ...tlsVariables.shape, ...adminVariables.shape });
    const ours = new Set([...messages.map(([name]) => name), ...ofFiles, 'HOST']);
    const settings = listed.filter((name) => isOurs(name) && !name.endsWith('_URL'));
    expect(settings.toSorted()).toEqual([...ours].filter(isOurs).toSorted());
    expect(listed).toContain('REDIS_URL');
  });
});
