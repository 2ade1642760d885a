/** The command line → what to measure, and how long. */
import { parseArgs } from 'node:util';
import { z } from 'zod';

export interface Options {
  readonly only: string | undefined;
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  readonly warmsUp: boolean;
  /** Where to write everything that was measured. */
  readonly json: string | undefined;
  readonly format: 'text' | 'markdown';
}

const schema = z.object({
  only: z.string().optional(),
  rounds: z.coerce.number().int().min(1).max(100),
  seconds: z.coerce.number().min(0.1).max(60),
  json: z.string().optional(),
});

/** @throws Error naming the option that does not exist or cannot be what it is. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      json: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
    },
  });
  const { smoke, markdown } = values;
  const defaults = smoke ? { rounds: '1', seconds: '0.3' } : { rounds: '5', seconds: '2' };
  const result = schema.safeParse({ ...defaults, ...values });
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `--${path.join('')}: ${message}`);
    throw new Error(lines.join('\n'));
  }
  const { only, rounds, seconds, json } = result.data;
  return {
    only,
    rounds,
    seconds,
    json,
    // A smoke test is about whether it runs: a cold program answers few clients in a short time.
    connections: smoke ? 8 : 64,
    warmsUp: !smoke,
    format: markdown ? 'markdown' : 'text',
  };
}
