/** `plait trace`: the latest traces of a gateway in development, or one of them as a waterfall. */
import { z } from 'zod';
import { ConfigurationError } from '../errors.ts';
import type { StoredTrace } from '../telemetry/trace-store.ts';
import { requestsIn } from '../telemetry/requests-in-trace.ts';
import { toSafeJson } from '../telemetry/log-format.ts';
import { drawWaterfall, listTraces, nameWidthOf } from '../telemetry/waterfall.ts';
import { askAdmin } from './ask-admin.ts';
import { followTraces } from './follow-traces.ts';
import { whenNobodyReads } from './output.ts';
import { paint } from './paint.ts';

export interface TraceOptions {
  /** A trace id or its beginning. Absent: the latest are listed. */
  readonly traceId: string | undefined;
  /** The URL of the gateway's management side, as in its line `admin …`. */
  readonly adminUrl: string;
  /** JSON; of traces that are followed, each on a line. */
  readonly json: boolean;
  /** Goes on to list those that come. */
  readonly follow: boolean;
}

const Trace = z.object({
  traceId: z.string(),
  spans: z.array(
    z.object({
      spanId: z.string(),
      parentSpanId: z.string().exactOptional(),
      name: z.string(),
      startMs: z.number(),
      endMs: z.number(),
      error: z.string().exactOptional(),
      message: z.string().exactOptional(),
      attributes: z.record(z.string(), z.any()),
    }),
  ),
});
const Latest = z.object({ traces: z.array(Trace) });

export async function trace({ traceId, adminUrl, json, follow }: TraceOptions): Promise<void> {
  if (follow && traceId !== undefined) {
    throw new ConfigurationError('--follow lists the traces that come. Leave the id out.');
  }
  const absent =
    'keeps no traces: it sends them to a collector, runs in production, or has ' +
    'OTEL_SDK_DISABLED set.';
  const ask = async (): Promise<readonly StoredTrace[]> =>
    (await askAdmin({ adminUrl, path: '/traces', answer: Latest, absent })).traces;
  if (follow) {
    whenNobodyReads(() => process.exit());
    return followTraces({ ask, show: json ? printAsLines : listInColumns() });
  }
  const traces = await ask();
  if (traceId === undefined) return print(traces, json);
  const found = traces.filter((one) => one.traceId.startsWith(traceId.toLowerCase()));
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const problem = only === undefined ? 'No' : `${found.length}`;
    throw new ConfigurationError(
      `${problem} kept traces begin with "${traceId}". ` +
        `\`plait trace\` lists the latest ${traces.length}.`,
    );
  }
  console.log(json ? jsonOf(only) : paint(drawWaterfall(only)));
}

function print(traces: readonly StoredTrace[], json: boolean): void {
  const none = 'There is no trace yet. Ask the gateway for something first.';
  if (json) console.log(jsonOf(traces));
  else if (traces.length === 0) console.log(none);
  // The latest at the end, where a terminal shows it.
  else console.log(paint(listTraces(traces.flatMap(requestsIn).toReversed())));
}

function printAsLines(traces: readonly StoredTrace[]): void {
  for (const one of traces) console.log(jsonOf(one));
}

/** On one line, and safe to be shown by a terminal: paths and messages come from others. */
function jsonOf(value: object): string {
  return toSafeJson(JSON.stringify(value));
}

/** Its columns become wider with a longer name, and stay so. */
function listInColumns(): (traces: readonly StoredTrace[]) => void {
  let nameWidth = 0;
  return (traces) => {
    nameWidth = Math.max(nameWidth, nameWidthOf(traces));
    console.log(paint(listTraces(traces, nameWidth)));
  };
}
