/** The command line → what to measure, for how long, and what to print. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';

export interface Options {
  readonly only: string | undefined;
  /** Only as many rows as try out every program and every kind of load. */
  readonly isSmoke: boolean;
  readonly rounds: number;
  readonly launches: number;
  readonly seconds: number;
  readonly connections: number;
  readonly warmsUp: boolean;
  /** Another checkout of Plait, with its packages installed, that is measured beside this one. */
  readonly against: string | undefined;
  /** Where to write everything that was measured. */
  readonly json: string | undefined;
  /** A file that `json` has written: its results are printed, and nothing is measured. */
  readonly from: string | undefined;
  readonly format: 'text' | 'markdown' | 'readme';
}

const schema = z.object({
  only: z.string().optional(),
  rounds: z.coerce.number().int().min(1).max(100),
  launches: z.coerce.number().int().min(1).max(20),
  seconds: z.coerce.number().min(0.1).max(60),
  against: z.string().optional(),
  json: z.string().optional(),
  from: z.string().optional(),
});

/** @throws Error naming the option that does not exist or has a value that it cannot have. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      rounds: { type: 'string' },
      launches: { type: 'string' },
      seconds: { type: 'string' },
      against: { type: 'string' },
      json: { type: 'string' },
      from: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      markdown: { type: 'boolean', default: false },
      readme: { type: 'boolean', default: false },
    },
  });
  const { smoke, markdown, readme } = values;
  const defaults = smoke
    ? { rounds: '1', launches: '1', seconds: '0.3' }
    : { rounds: '10', launches: '2', seconds: '1' };
  const result = schema.safeParse({ ...defaults, ...values });
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `--${path.join('')}: ${message}`);
    throw new Error(lines.join('\n'));
  }
  const { only, rounds, launches, seconds, against, json, from } = result.data;
  return {
    only,
    isSmoke: smoke,
    rounds,
    launches,
    seconds,
    // A cold program answers few clients in the short time of a smoke test.
    connections: smoke ? 8 : 64,
    warmsUp: !smoke,
    against: against === undefined ? undefined : resolve(against),
    json,
    from,
    format: readme ? 'readme' : markdown ? 'markdown' : 'text',
  };
}
