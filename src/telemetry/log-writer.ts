/**
 * Writes log lines in the background, many at once, so that a reader that stalls delays nothing:
 * beyond a limit, lines are dropped and counted, as they are where a disk is full. A write to a
 * full pipe holds a thread, but not the event loop.
 */
import { write, writeSync } from 'node:fs';

export interface LogWriter {
  write(line: string): void;
  /** Settles when all is written, or after `limitMs`. Later lines are dropped. */
  close(limitMs: number): Promise<void>;
}

export interface LogWriterOptions {
  /** A file descriptor. */
  readonly fd: number;
  /** The most characters that wait to be written. */
  readonly most: number;
  /** Called when lines can be written again, with the number of those that were dropped. */
  readonly onDropped: (lines: number) => void;
}

/** About as many characters are written at once. */
const mostAtOnce = 64 * 1024;

/** When a descriptor that others have made non-blocking is tried again. */
const againMs = 20;

/** A write that takes longer than this at the end of the process waits for a reader that stalls. */
const stalledMs = 200;

export function createLogWriter({ fd, most, onDropped }: LogWriterOptions): LogWriter {
  const waiting: string[] = [];
  let size = 0;
  let dropped = 0;
  let writesSince: number | undefined;
  /** Whether the latest line that was written ends before its end. */
  let isCutOff = false;
  let isClosed = false;
  let isUnderWay = false;
  let onIdle: (() => void) | undefined;

  function writeNext(): void {
    isUnderWay = false;
    const lines = take(waiting);
    if (lines.length === 0) {
      writesSince = undefined;
      onIdle?.();
      return;
    }
    const text = lines.join('');
    size -= text.length;
    writesSince = performance.now();
    isUnderWay = true;
    const bytes = Buffer.from(isCutOff ? `\n${text}` : text);
    isCutOff = false;
    writeAll(bytes, lines.length);
  }

  /** `count`: the lines that `bytes` ends with. */
  function writeAll(bytes: Buffer, count: number): void {
    write(fd, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') setTimeout(writeAll, againMs, bytes, count);
      else if (error?.code === 'EPIPE' || error?.code === 'EBADF') giveUp();
      else if (error !== null) lose(count);
      else if (written < bytes.length) {
        isCutOff = true;
        writeAll(bytes.subarray(written), count);
      } else {
        isCutOff = false;
        noteDropped();
        writeNext();
      }
    });
  }

  /** The disk is full, say: later lines may find room. */
  function lose(count: number): void {
    dropped += count;
    writeNext();
  }

  /** Nobody reads any more, and nobody can be told. */
  function giveUp(): void {
    isClosed = true;
    waiting.length = 0;
    size = 0;
    writeNext();
  }

  /** Once there is room for the line that says so. */
  function noteDropped(): void {
    if (dropped === 0 || isClosed || size > most / 2) return;
    const lines = dropped;
    dropped = 0;
    onDropped(lines);
  }

  function end(code: number): void {
    if (!isUnderWay && waiting.length > 0) writeLast(fd, waiting.splice(0).join(''));
    // The process would wait for the thread, so for a reader that may never read again.
    if (isUnderWay && performance.now() - (writesSince ?? 0) > stalledMs) endNow(code);
  }
  process.on('exit', end);

  return {
    write(line) {
      if (isClosed) return;
      if (size + line.length > most) {
        dropped += 1;
        return;
      }
      waiting.push(line);
      size += line.length;
      if (writesSince === undefined) {
        writesSince = performance.now();
        // With the lines that follow in this turn of the event loop.
        setImmediate(writeNext);
      }
    },
    async close(limitMs) {
      if (!isClosed && writesSince !== undefined) await idleWithin(limitMs);
      isClosed = true;
      if (writesSince === undefined) process.off('exit', end);
    },
  };

  function idleWithin(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Takes the first lines, about as many as are written at once. */
function take(waiting: string[]): string[] {
  let length = 0;
  const count = waiting.findIndex((line) => (length += line.length) > mostAtOnce);
  return waiting.splice(0, count === -1 ? waiting.length : count + 1);
}

function writeLast(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // Nobody reads, or the disk is full: that must not change how the process ends.
  }
}

/** Ends the process without waiting for its threads, by a signal that says whether all was well. */
function endNow(code: number): void {
  const signal = code === 0 ? 'SIGTERM' : 'SIGKILL';
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}
