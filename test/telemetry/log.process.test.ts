import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderWith } from '../support/folder.ts';
import { run } from '../support/processes.ts';

/** The output of a process that logs three lines, flushes and ends. */
async function speak(format: string, length: number): Promise<string[]> {
  const folder = await folderWith({
    'speak.ts': `
      import { createLog } from '../src/telemetry/log.ts';
      const log = createLog({ level: 'info', format: '${format}' });
      for (const line of ['one', 'two', 'three']) log.info({ fill: '-'.repeat(${length}) }, line);
      await log.close();
      process.exit(0);`,
  });
  const root = join(import.meta.dirname, '../..');
  const program = run(relative(root, join(folder, 'speak.ts')), [], {});
  expect(await program.exitCode).toBe(0);
  return program.errors().trimEnd().split('\n');
}

describe('what is still to be written', () => {
  it('is there in its order when the process ends, as text', async () => {
    const lines = await speak('text', 300_000);
    expect(lines.map((line) => line.slice(0, 30).split(' ')[3])).toEqual(['one', 'two', 'three']);
  });

  // pino's flushSync does not wait for what its asynchronous destination is writing already: the first
  // line is written late, into the others, or never.
  it('is there in its order when the process ends, as JSON', async () => {
    const lines = await speak('json', 300_000);
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['one', 'two', 'three']);
  });
});
