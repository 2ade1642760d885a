/** The command line → what to profile, and how long. */
import { parseArgs } from 'node:util';
import { z } from 'zod';

export interface Options {
  readonly row: string;
  /** Profiled, after the program is warm. */
  readonly seconds: number;
  /** Where to write the flame graph. */
  readonly svg: string | undefined;
  /** Where to write V8's own profile, which speedscope and Chrome's developer tools open. */
  readonly cpuProfile: string | undefined;
}

const schema = z.object({
  row: z.string('is missing. Say which row of bench/rows.ts, as in: --row summary-unshared'),
  seconds: z.coerce.number().min(0.5).max(60),
  svg: z.string().endsWith('.svg').optional(),
  cpuprofile: z.string().endsWith('.cpuprofile').optional(),
});

/** @throws Error naming the option that is missing, does not exist or cannot be what it is. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      row: { type: 'string' },
      seconds: { type: 'string', default: '5' },
      svg: { type: 'string' },
      cpuprofile: { type: 'string' },
    },
  });
  const result = schema.safeParse(values);
  if (!result.success) {
    const lines = result.error.issues.map(({ path, message }) => `--${path.join('')}: ${message}`);
    throw new Error(lines.join('\n'));
  }
  const { row, seconds, svg, cpuprofile } = result.data;
  return { row, seconds, svg, cpuProfile: cpuprofile };
}
