import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
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

  it('is there in its order when the process ends, as JSON', async () => {
    const lines = await speak('json', 300_000);
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(['one', 'two', 'three']);
  });
});

/**
 * A process that logs 40 MB at once, says on standard output that it goes on, and then ends with `code`
 * when it is told to. Nobody reads its standard error.
 */
async function flood(format: string, code: number) {
  const folder = await folderWith({
    'flood.ts': `
      import { createLog } from '../src/telemetry/log.ts';
      const log = createLog({ level: 'info', format: '${format}' });
      const fill = '-'.repeat(1_000);
      for (let number = 0; number < ${floodLines}; number += 1) log.info({ fill, number }, 'line');
      setTimeout(() => console.log('turns'), 100);
      process.stdin.once('data', async () => {
        await log.close();
        process.exit(${code});
      });`,
  });
  const child = spawn(process.execPath, [join(folder, 'flood.ts')], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('exit', (exitCode, signal) => resolve(signal ?? exitCode)),
  );
  await new Promise((resolve) => void createInterface(child.stdout).once('line', resolve));
  return { child, ended, stop: () => void child.stdin.write('stop') };
}

const floodLines = 40_000;

function isNotice(line: string): boolean {
  return line.includes('Log lines were dropped');
}

describe('a reader that stalls', () => {
  it.each(['text', 'json'])(
    'holds up nothing, and is told what was dropped, as %s',
    async (format) => {
      const { child, ended, stop } = await flood(format, 0);
      const lines: string[] = [];
      createInterface(child.stderr).on('line', (line) => lines.push(line));
      await expect.poll(() => lines.some(isNotice)).toBe(true);
      stop();
      expect(await ended).toBe(0);
      const notice = lines.find(isNotice) ?? '';
      const dropped = Number(/lines"?[=:](\d+)/.exec(notice)?.[1]);
      expect(dropped).toBeGreaterThan(floodLines / 3);
      expect(lines.length - 1 + dropped).toBe(floodLines);
    },
  );

  it.each([
    ['text', 0, 'SIGTERM'],
    ['json', 0, 'SIGTERM'],
    ['json', 70, 'SIGKILL'],
  ])('does not keep a process from its end, as %s with %d', async (format, code, signal) => {
    const { ended, stop } = await flood(format, code);
    stop();
    expect(await ended).toBe(signal);
  });
});

/** Writes a line to a full disk, and two more when there is room again, which is what it returns. */
async function fillDisk(): Promise<string> {
  const folder = await folderWith({
    'fill.ts': `
      import { closeSync, openSync } from 'node:fs';
      import { setTimeout as sleep } from 'node:timers/promises';
      import { createLogWriter } from '../src/telemetry/log-writer.ts';
      const fd = openSync('/dev/full', 'w');
      const onDropped = (lines) => writer.write(lines + ' dropped\\n');
      const writer = createLogWriter({ fd, most: 1_000, onDropped });
      for (const line of ['one', 'two']) {
        writer.write(line + '\\n');
        await sleep(50);
      }
      closeSync(fd);
      if (openSync(process.argv[2], 'a') !== fd) process.exit(3);
      writer.write('three\\n');
      await sleep(50);
      await writer.close(1_000);
      // Lines that find no room at the very end change nothing, either.
      const last = createLogWriter({ fd: openSync('/dev/full', 'w'), most: 1_000, onDropped });
      last.write('four\\n');
      process.exit(0);`,
  });
  const root = join(import.meta.dirname, '../..');
  const file = join(folder, 'log');
  const program = run(relative(root, join(folder, 'fill.ts')), [file], {});
  expect(program.errors()).toBe('');
  expect(await program.exitCode).toBe(0);
  return readFile(file, 'utf8');
}

describe('a disk that is full', () => {
  it('costs the lines for which there is no room, whose number is told, and no others', async () => {
    expect(await fillDisk()).toBe('three\n2 dropped\n');
  });
});
