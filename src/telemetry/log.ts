/** The door to pino: log lines as JSON, or as text for a terminal. */
import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import pino from 'pino';
import type { DestinationStream } from 'pino';
import { toLine, toSafeJson } from './log-format.ts';
import type { PaintLevel } from './log-format.ts';
import { createLogWriter } from './log-writer.ts';

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Log {
  /** The lowest level that is written; may change at any time. */
  readonly level: { readonly known: readonly string[]; get(): string; set(level: string): void };
  /** Whether lines of that level are written, to save the time of making one. */
  isOn(level: LogLevel): boolean;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** Settles when every line is written, or nobody reads. Nothing can be logged afterwards. */
  close(): Promise<void>;
}

/** Fields beside the message: names of ours, and values without secrets. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  readonly write?: (line: string) => void;
}

/** The most characters that wait to be written: beyond, nobody reads them. */
const mostWaiting = 16 * 1024 * 1024;

/** The longest that a reader which does not read can delay the end of the process. */
const longestCloseMs = 1_000;

/** Colours lines of failures, unless the terminal or its reader wants none (`NO_COLOR`). */
const inColour: PaintLevel = (level, text) => {
  const colour = level === 'warn' ? 'yellow' : 'red';
  const isWrong = level === 'warn' || level === 'error' || level === 'fatal';
  return isWrong ? styleText(colour, text, { stream: process.stderr }) : text;
};

/** Logs to standard error; standard output says only where the gateway listens. */
export function createLog({ level, format, write }: LogOptions): Log {
  const onDropped = (lines: number): void =>
    logger.warn({ lines }, 'Log lines were dropped: nobody read them, or there was no room');
  const writer =
    write === undefined ? createLogWriter({ fd: 2, most: mostWaiting, onDropped }) : undefined;
  const out = write ?? ((line: string) => writer?.write(line));
  // For a pipe, `process.stderr` is not even touched: that would make it non-blocking.
  const paint = write === undefined && isatty(2) ? inColour : undefined;
  const destination: DestinationStream = {
    write: (line) => out(format === 'json' ? toSafeJson(line) : toLine(line, paint)),
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
    close: async () => writer?.close(longestCloseMs),
  };
}
