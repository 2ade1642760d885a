/** Log lines safe from log injection: one line for every reader, as JSON or as terminal text. */
import { z } from 'zod';

const Line = z.looseObject({
  level: z.string(),
  time: z.string(),
  message: z.string(),
});

/**
 * Characters that move the cursor, begin a line, or reverse the order in which others are shown;
 * they are shown as JSON escapes.
 */
const control =
  // oxlint-disable-next-line no-control-regex -- control characters are the point
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
const rare = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

/**
 * Escapes characters that JSON allows but that end lines for some readers, or command a terminal.
 * They occur inside of strings only.
 */
export function toSafeJson(json: string): string {
  return rare.test(json)
    ? json.replaceAll(control, (char) => (char === '\n' ? char : escaped(char)))
    : json;
}

/** Fields that the message repeats or that only machines use. */
const unshown = new Set([
  'method',
  'protocol_version',
  'route',
  'composition',
  'status',
  'span_id',
  'request_id',
]);

/** Colours a text for a level, or leaves it as it is. */
export type PaintLevel = (level: string, text: string) => string;

/**
 * `12:08:31.207 info  GET /orders/{orderId}/summary 200  trace_id=4bf9…  duration_ms=14.2
 * upstream_calls=3`
 */
export function toLine(json: string, paint: PaintLevel = (_, text) => text): string {
  const { level, time, message, causes, ...fields } = Line.parse(JSON.parse(json));
  const pairs = Object.entries(fields)
    .filter(([name]) => !unshown.has(name))
    .flatMap(([name, value]) => pairsOf(name, value));
  const head = `${time.slice(11, 23)} ${paint(level, `${level.padEnd(5)} ${oneLine(message)}`)}`;
  return `${[head, ...pairs].join('  ')}\n${causesOf(causes)}`;
}

/** An object is shown by its fields, as `error.type=503`. */
function pairsOf(name: string, value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${name}=${toText(value)}`];
  return Object.entries(value).map(([key, one]) => `${name}.${oneLine(key)}=${toText(one)}`);
}

function toText(value: unknown): string {
  return typeof value === 'string' ? oneLine(value) : oneLine(JSON.stringify(value));
}

/** Escapes what would end a line or command a terminal. */
export function oneLine(text: string): string {
  return text.replaceAll(control, (char) => escaped(char));
}

function escaped(char: string): string {
  const written = JSON.stringify(char).slice(1, -1);
  return written === char ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : written;
}

/** The causes of an error, each on lines of its own. */
function causesOf(causes: unknown): string {
  if (!Array.isArray(causes)) return '';
  const lines = causes.flatMap((cause) => String(cause).split('\n'));
  return lines.map((line) => `    ${oneLine(line)}\n`).join('');
}
