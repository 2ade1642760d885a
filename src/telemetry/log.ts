/** The door to pino: log lines as JSON, or as text for a terminal. */
import pino from 'pino';
import type { DestinationStream } from 'pino';
import { toLine, toSafeJson } from './log-line.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Log {
  /** From which level on lines are written; may be changed at any time. */
  readonly level: { readonly known: readonly string[]; get(): string; set(level: string): void };
  /** Whether lines of that level are written: making one takes time. */
  isOn(level: LogLevel): boolean;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Settles when all that was said is written. Nothing can be said afterwards. */
  close(): Promise<void>;
}

/** What is said besides the message: names of ours, and values that hold no secret. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly write?: (line: string) => void;
}

/** What waits to be written, in bytes; beyond it lines are lost, when nobody reads them. */
const mostWaiting = 16 * 1024 * 1024;

/** Whoever does not read does not hold up the end of the process for longer. */
const longestCloseMs = 1_000;

/** Lines go to standard error: standard output says where the gateway listens, and nothing else. */
export function createLog({ level, format, write }: LogOptions): Log {
  // Written in the background, many lines at once: a terminal that is slow does not hold up requests.
  const file =
    write === undefined
      ? pino.destination({ fd: 2, sync: format === 'text', maxLength: mostWaiting })
      : undefined;
  const out = write ?? ((line: string) => void file?.write(line));
  const destination: DestinationStream = {
    write: (line) => out(format === 'json' ? toSafeJson(line) : toLine(line)),
  };
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
    },
    destination,
  );
  return {
    level: {
      known: logLevels,
      get: () => logger.level,
      set(changed) {
        logger.level = changed;
      },
    },
    isOn: (asked) => logger.isLevelEnabled(asked),
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    close: () =>
      new Promise((resolve) => {
        if (file === undefined) return resolve();
        const timer = setTimeout(resolve, longestCloseMs);
        file.once('close', () => {
          clearTimeout(timer);
          resolve();
        });
        return file.end();
      }),
  };
}
