/** Schemas of single values → zod: texts, numbers, booleans, and lists of allowed values. */
import { chained, fields, list, quoted, zod } from './code.ts';
import type { Chain, Code } from './code.ts';
import { child, children, isTrueAt, numberAt, textAt } from './document.ts';
import type { Part } from './document.ts';
import type { Report } from './report.ts';

/** The code of a schema, and its type if it is short enough to be written out. */
export interface Scalar {
  readonly code: Chain;
  readonly type: string | undefined;
}

/** Formats that zod checks, and never more strictly than their RFCs. */
const formats: Readonly<Record<string, Scalar>> = {
  'date-time': {
    code: zod('iso.datetime', fields({ name: 'offset', value: 'true' })),
    type: 'z.ZodISODateTime',
  },
  date: { code: zod('iso.date'), type: 'z.ZodISODate' },
  email: { code: zod('email'), type: 'z.ZodEmail' },
  uri: { code: zod('url'), type: 'z.ZodURL' },
  // z.uuid() refuses versions and variants that RFC 9562 does not know.
  uuid: { code: zod('guid'), type: 'z.ZodGUID' },
  ipv4: { code: zod('ipv4'), type: 'z.ZodIPv4' },
  ipv6: { code: zod('ipv6'), type: 'z.ZodIPv6' },
};

export function text(schema: Part, report: Report): Scalar {
  const { code, type } = formats[textAt(schema, 'format') ?? ''] ?? {
    code: zod('string'),
    type: 'z.ZodString',
  };
  const sized = withBounds(code, schema, { minLength: 'min', maxLength: 'max' });
  const pattern = textAt(schema, 'pattern');
  if (pattern === undefined) return { code: sized, type };
  const expression = toExpression(pattern);
  if (expression !== undefined) return { code: chained(sized, 'regex', expression), type };
  report.note(`${schema.pointer}/pattern`, 'the pattern is not a regular expression of JavaScript');
  return { code: sized, type };
}

function toExpression(pattern: string): string | undefined {
  for (const flags of ['u', '']) {
    try {
      const expression = String(new RegExp(pattern, flags));
      return /[\u2028\u2029]/.test(expression) ? undefined : expression;
    } catch {
      // Without `u`, more is taken for text.
    }
  }
  return undefined;
}

export function number(schema: Part, isInteger: boolean): Scalar {
  // In OpenAPI 3.0, `exclusiveMinimum` says of `minimum` whether it is exclusive.
  const bounded = withBounds(isInteger ? zod('int') : zod('number'), schema, {
    minimum: isTrueAt(schema, 'exclusiveMinimum') ? 'gt' : 'min',
    exclusiveMinimum: 'gt',
    maximum: isTrueAt(schema, 'exclusiveMaximum') ? 'lt' : 'max',
    exclusiveMaximum: 'lt',
    multipleOf: 'multipleOf',
  });
  return { code: bounded, type: isInteger ? 'z.ZodInt' : 'z.ZodNumber' };
}

/** Adds a call for each keyword that is there. */
export function withBounds(
  code: Chain,
  schema: Part,
  names: Readonly<Record<string, string>>,
): Chain {
  let bounded = code;
  for (const [keyword, name] of Object.entries(names)) {
    const bound = numberAt(schema, keyword);
    if (bound !== undefined) bounded = chained(bounded, name, String(bound));
  }
  return bounded;
}

/** The values of `enum` or `const`, without `null`; `undefined` if any value is allowed. */
export function allowedValues(schema: Part): readonly Part[] | undefined {
  const constant = child(schema, 'const');
  const all = constant === undefined ? child(schema, 'enum') : undefined;
  if (constant === undefined && !Array.isArray(all?.value)) return undefined;
  const values = constant === undefined ? children(all) : [constant];
  return values.filter(({ value }) => value !== null);
}

/** `z.enum` of texts, `z.literal` of others; `undefined` for values that have no literal. */
export function literals(values: readonly Part[]): Chain | undefined {
  const codes = [...new Set(values.map(({ value }) => literal(value)))];
  const [only] = codes;
  if (only === undefined || codes.includes(undefined)) return undefined;
  if (codes.length === 1) return zod('literal', only);
  const items = list(codes.filter((code) => code !== undefined));
  return zod(values.every(({ value }) => typeof value === 'string') ? 'enum' : 'literal', items);
}

function literal(value: unknown): Code | undefined {
  if (typeof value === 'string') return quoted(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
