/** `plait dev`: runs mock services and gateway, and restarts the gateway on every change. */
import { existsSync, watch } from 'node:fs';
import { connect } from 'node:net';
import { extname, join } from 'node:path';
import { noFolder } from '../composition-files.ts';
import { ConfigurationError } from '../errors.ts';
import type { Environment } from '../environment.ts';
import { parseSettings } from '../settings/settings.ts';
import { runningVariable, startChild } from './child.ts';
import type { Child } from './child.ts';
import { whenNobodyReads } from './output.ts';
import { whenStopped } from './stop.ts';

const mocksProgram = 'mocks/server.ts';
const localCollector = 'http://127.0.0.1:4318';

export async function dev({ folder }: { folder: string }): Promise<void> {
  whenNobodyReads(() => process.kill(process.pid, 'SIGTERM'));
  // Nothing tells when it comes into being.
  if (!existsSync(folder)) throw noFolder(folder);
  const environment = await developmentEnvironment();
  const mocks = existsSync(mocksProgram) ? await startMocks(environment) : undefined;
  let running: readonly string[] = [];
  const startAgain = (): Child =>
    startGateway(folder, { ...environment, [runningVariable]: running.join(',') });
  let gateway = startAgain();
  let restarts = Promise.resolve();

  async function restart(file: string): Promise<void> {
    console.log(`\n${file} changed, starting again`);
    await gateway.stop();
    running = gateway.claims() ?? running;
    gateway = startAgain();
    void announce(gateway);
  }

  whenStopped(async () => {
    await Promise.all([gateway.stop(), mocks?.stop()]);
  });
  for (const path of new Set([folder, 'src'])) {
    if (existsSync(path)) onChange(path, (file) => (restarts = restarts.then(() => restart(file))));
  }
  void announce(gateway);
  const url = await gateway.ready;
  if (url !== undefined) printGuide({ url, folder, environment });
}

/** The environment, with defaults for a developer's machine. */
async function developmentEnvironment(): Promise<Environment> {
  const { mocksBasePort: base } = parseSettings(process.env, []);
  const local = (offset: number): string => `http://127.0.0.1:${base + offset}`;
  const defaults = {
    NODE_ENV: 'development',
    ORDERS_URL: local(0),
    PAYMENTS_URL: local(1),
    SHIPPING_URL: local(2),
    ...((await isListening(localCollector)) && { OTEL_EXPORTER_OTLP_ENDPOINT: localCollector }),
  };
  return { ...defaults, ...process.env };
}

async function startMocks(environment: Environment): Promise<Child> {
  const mocks = startChild(mocksProgram, [], environment);
  if ((await mocks.ready) !== undefined) {
    void announceEnd(mocks);
    return mocks;
  }
  throw new ConfigurationError(
    'The mock services did not start. Set MOCKS_BASE_PORT to the first of three free ports.',
  );
}

async function announceEnd(mocks: Child): Promise<void> {
  if ((await mocks.ended) === 'crashed') {
    console.log('The mock services ended; stop this with Ctrl-C and start it again.');
  }
}

function startGateway(folder: string, environment: Environment): Child {
  // In the package, which is built, it is `main.js`.
  const program = join(import.meta.dirname, `main${extname(import.meta.filename)}`);
  return startChild(program, ['start', '--tolerant', '--compositions', folder], environment);
}

/** Reports when the gateway is ready, and when it has ended by itself. */
async function announce(gateway: Child): Promise<void> {
  const url = await gateway.ready;
  if (url !== undefined) console.log(`ready ${url}`);
  if ((await gateway.ended) === 'stopped') return;
  console.log(
    `The gateway ${url === undefined ? 'did not start' : 'ended'}; waiting for a change.`,
  );
}

interface GuideOptions {
  readonly url: string;
  readonly folder: string;
  readonly environment: Environment;
}

function printGuide({ url, folder, environment }: GuideOptions): void {
  const { telemetry, basePath } = parseSettings(environment, []);
  const { collector } = telemetry.sdk ?? {};
  const traces =
    collector === undefined
      ? 'npx plait trace shows the latest. ' +
        'For Jaeger: docker compose up -d jaeger, then start this again.'
      : `go to ${collector}; in Jaeger: http://127.0.0.1:16686/search?service=plait`;
  const lines = [...examples({ url: url + basePath, folder }), `Traces   ${traces}`];
  console.log(`\n${lines.map((line) => `  ${line}\n`).join('')}`);
}

/** How to try a composition that is shipped, where it is there. */
function examples({ url, folder }: { url: string; folder: string }): string[] {
  const option = folder === 'compositions' ? '' : ` --compositions=${folder}`;
  return existsSync(join(folder, 'order-summary.ts'))
    ? [
        `Try      curl ${url}/orders/ord_1001/summary`,
        `Explain  npx plait explain order-summary${option}`,
      ]
    : [`Explain  npx plait explain${option} shows every route, and what it calls`];
}

/** Debounces: editors write a file in several steps, which count as one change. */
function onChange(path: string, react: (file: string) => Promise<void>): void {
  let timer: NodeJS.Timeout | undefined;
  watch(path, { recursive: true }, (_, file) => {
    clearTimeout(timer);
    timer = setTimeout(() => void react(`${path}/${file ?? ''}`), 100);
  });
}

function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((settle) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 500 });
    const answer = (listening: boolean): void => {
      socket.destroy();
      settle(listening);
    };
    socket.once('connect', () => answer(true));
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}
