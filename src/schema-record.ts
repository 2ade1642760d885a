/** Lets large records stop at their first misfits, of which zod describes all. */
import { z } from 'zod';
import { isCompared } from './schema-intersection.ts';
import type { Def } from './schema-parts.ts';

type Run = z.core.$ZodType['_zod']['run'];
type Payload = z.core.ParsePayload;
type Fields = Readonly<Record<string, unknown>>;

const keysPerChunk = 200;

/** Parses some keys at a time: each is judged by itself, unless the schema knows all keys. */
export function parseInChunks(
  { _zod: { parse } }: z.core.$ZodType,
  { keyType: { _zod: key } }: Extract<Def, { type: 'record' }>,
): Run {
  return function parseRecord(payload, context) {
    const { value } = payload;
    if (context.abortEarly !== true || key.values || !isFields(value))
      return parse(payload, context);
    const keys = Object.keys(value);
    if (keys.length <= keysPerChunk || keys.length < Reflect.ownKeys(value).length)
      return parse(payload, context);
    const whole: Record<string, unknown> = {};
    payload.value = whole;
    for (let at = 0; at < keys.length; at += keysPerChunk) {
      const chunk = fieldsOf(value, keys.slice(at, at + keysPerChunk));
      const result = parse({ value: chunk, issues: [] }, context);
      if (result instanceof Promise) return result;
      Object.assign(whole, result.value);
      if (addIssues(payload, result.issues, isCompared(context))) break;
    }
    return payload;
  };
}

/** Adds the issues of a chunk; returns whether they are enough. */
function addIssues(payload: Payload, issues: Payload['issues'], isSide: boolean): boolean {
  for (const issue of issues) payload.issues.push(issue);
  // The other side of an intersection may accept the keys.
  if (issues.length === 0 || (isSide && issues.every(({ code }) => code === 'invalid_key')))
    return false;
  payload.aborted = true;
  // No function sees what is there of the record.
  for (const issue of issues) Object.assign(issue, { continue: false });
  return true;
}

function fieldsOf(value: Fields, keys: readonly string[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  // A record drops it, and setting it would do something else.
  for (const key of keys) if (key !== '__proto__') fields[key] = value[key];
  return fields;
}

function isFields(value: unknown): value is Fields {
  return z.core.util.isPlainObject(value);
}
