/** `plait start`: the gateway, until it is told to stop. */
import { systemClock } from '../clock.ts';
import { LoadError } from '../errors.ts';
import { startTelemetry } from '../telemetry/sdk.ts';
import { readConfiguration } from './environment.ts';
import { startGateway } from './gateway.ts';
import { loadCompositions } from './load.ts';
import { whenStopped } from './stop.ts';

export interface StartOptions {
  readonly folder: string;
  /** Serve what is healthy although other compositions do not load. */
  readonly tolerant: boolean;
}

/** @throws LoadError and ConfigurationError, before anything listens. */
export async function start({ folder, tolerant }: StartOptions): Promise<void> {
  const { host, port, mode, environment } = readConfiguration(process.env);
  const { plans, errors } = await loadCompositions(folder);
  if (errors.length > 0 && !tolerant) throw new LoadError(errors);
  for (const { message } of errors) console.error(`Not served: ${message}`);
  const telemetry = await startTelemetry({
    mode,
    environment,
    clock: systemClock,
    onWarning: (message) => console.error(message),
  });
  const gateway = await startGateway({
    plans,
    host,
    port,
    environment,
    telemetry,
    onInternalError: (error) => console.error(error),
  });
  console.log(`ready ${gateway.url}`);
  whenStopped(() => gateway.close());
}
