/** Log lines that are one line to everybody: as JSON, and as text for a terminal. */
import { z } from 'zod';

const Line = z.looseObject({
  level: z.string(),
  time: z.string(),
  message: z.string(),
});

/** Whatever would move the cursor or begin a new line is shown as it would be written in JSON. */
// oxlint-disable-next-line no-control-regex -- these are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;
const rare = /[\u007f-\u009f\u2028\u2029]/;

/**
 * JSON leaves some characters as they are that end lines for some readers, or command a terminal. They are
 * in texts only, where they can be written otherwise.
 */
export function toSafeJson(json: string): string {
  return rare.test(json)
    ? json.replaceAll(control, (char) => (char === '\n' ? char : escaped(char)))
    : json;
}

/** What the message has already, and what is only of use to a machine. */
const unshown = new Set(['method', 'route', 'composition', 'status', 'span_id', 'request_id']);

/** `12:08:31.207 info  GET /orders/{orderId}/summary 200  trace_id=4bf9…  duration_ms=14.2  upstream_calls=3` */
export function toLine(json: string): string {
  const { level, time, message, causes, ...fields } = Line.parse(JSON.parse(json));
  const pairs = Object.entries(fields)
    .filter(([name]) => !unshown.has(name))
    .map(([name, value]) => `${name}=${toText(value)}`);
  const head = `${time.slice(11, 23)} ${level.padEnd(5)} ${oneLine(message)}`;
  return `${[head, ...pairs].join('  ')}\n${causesOf(causes)}`;
}

function toText(value: unknown): string {
  return typeof value === 'string' ? oneLine(value) : oneLine(JSON.stringify(value));
}

function oneLine(text: string): string {
  return text.replaceAll(control, (char) => escaped(char));
}

function escaped(char: string): string {
  const written = JSON.stringify(char).slice(1, -1);
  return written === char ? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}` : written;
}

/** What lies behind an error, each on lines of its own. */
function causesOf(causes: unknown): string {
  if (!Array.isArray(causes)) return '';
  const lines = causes.flatMap((cause) => String(cause).split('\n'));
  return lines.map((line) => `    ${oneLine(line)}\n`).join('');
}
