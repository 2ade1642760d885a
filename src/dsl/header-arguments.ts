/** `headers` of an operation: headers as arguments, and constant ones. */
import { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { headerValueProblem } from '../header-value.ts';
import { credentialHeaders } from '../headers.ts';
import { declaredFields, mayBeAbsent, unwrapped } from '../schema.ts';
import { withArticle } from '../shown-value.ts';
import { unsendableReason } from './forward.ts';
import { headerNameProblem } from './header-names.ts';

/** The headers that an operation sends besides those of the gateway and of the client. */
export interface HeaderArguments {
  /** Of all of them. */
  readonly schema: z.ZodObject;
  /** Those that are arguments, and those of them that a call must give. */
  readonly names: readonly string[];
  readonly required: readonly string[];
  /** Those whose schema is one text, which is always sent. */
  readonly constants: Readonly<Record<string, string>>;
  /** The arguments that prove who is asking: they are not in keys in clear. */
  readonly secrets: readonly string[];
}

/** The type of the argument `headers`: all headers whose schema is not one text. */
type HeaderArgs<Headers extends z.ZodObject> = {
  [
    Name in keyof z.input<Headers> as Headers['shape'][Name & string] extends z.ZodLiteral
      ? never
      : Name
  ]: z.input<Headers>[Name];
};

/** The argument `headers`, if there is one; it may be left out if all of its headers may be. */
export type HeadersArg<Headers> = Headers extends z.ZodObject
  ? keyof HeaderArgs<Headers> extends never
    ? unknown
    : Partial<HeaderArgs<Headers>> extends HeaderArgs<Headers>
      ? { headers?: HeaderArgs<Headers> }
      : { headers: HeaderArgs<Headers> }
  : unknown;

/** The facts of an operation that restrict its headers. */
interface Around {
  readonly forward: readonly string[];
  readonly idempotencyKey: 'derived' | undefined;
  readonly place: string;
}

/** @throws CompositionError for headers that cannot be sent, or that something else sends. */
export function checkedHeaderArguments(
  schema: z.ZodObject | undefined,
  around: Around,
): HeaderArguments | undefined {
  if (schema === undefined) return undefined;
  const { place } = around;
  if (!(schema instanceof z.ZodObject)) {
    const advice = 'Use z.object(), as in z.object({ "if-match": z.string() }).';
    throw new CompositionError(place, `headers is not an object of headers. ${advice}`);
  }
  for (const [name, field] of Object.entries(schema.shape)) {
    const problem = headerNameProblem(name) ?? problemOf(name, field, around);
    if (problem !== undefined) throw new CompositionError(place, `header "${name}" ${problem}`);
  }
  const constants = constantsOf(schema);
  const names = Object.keys(schema.shape).filter((name) => !Object.hasOwn(constants, name));
  return Object.freeze({
    schema,
    names,
    required: names.filter((name) => !mayBeAbsent(schema.shape[name] as z.ZodType)), // it is there
    constants,
    secrets: names.filter((name) => credentialHeaders.has(name)),
  });
}

function problemOf(name: string, schema: z.ZodType, around: Around): string | undefined {
  const reason = name === 'accept' ? undefined : unsendableReason(name);
  if (reason !== undefined) return `cannot be sent: ${reason}. Remove it.`;
  if (around.forward.includes(name))
    return 'is an argument, and is listed in forward. Remove one of them.';
  if (name === 'idempotency-key' && around.idempotencyKey !== undefined)
    return 'is an argument, and is sent by idempotencyKey. Remove one of them.';
  const constant = constantOf(schema);
  const problem = constant === undefined ? undefined : headerValueProblem(constant);
  if (problem !== undefined) return `${problem}. Use visible ASCII.`;
  const { type } = unwrapped(schema).def;
  if (!['object', 'array', 'tuple', 'record', 'map', 'set', 'date'].includes(type))
    return undefined;
  return `is ${withArticle(type)}, but is sent as text. Use z.string().`;
}

function constantsOf(schema: z.ZodObject): Readonly<Record<string, string>> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(declaredFields(schema)).flatMap(([name, field]) => {
        const constant = constantOf(field);
        return constant === undefined ? [] : [[name, constant]];
      }),
    ),
  );
}

/** The text of a schema that is a `z.literal` of one. */
function constantOf(schema: z.ZodType): string | undefined {
  if (!(schema instanceof z.ZodLiteral) || schema.values.size !== 1) return undefined;
  const [only] = schema.values;
  return typeof only === 'string' ? only : undefined;
}

/** The problem with the argument `headers` of a call, if it is written out there. */
export function headersProblem(
  { names, required }: HeaderArguments,
  args: { readonly headers?: unknown },
): string | undefined {
  const { headers: given } = args;
  // A reference is a function.
  if (typeof given !== 'object' || given === null) return undefined;
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  const takes = `It takes: ${names.join(', ')}.`;
  if (unknown !== undefined) return `has no header "${unknown}". ${takes}`;
  const missing = required.find((name) => !Object.hasOwn(given, name));
  return missing === undefined ? undefined : `is missing its header "${missing}". ${takes}`;
}
