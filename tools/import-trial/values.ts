/** Values that fit a JSON Schema. Shares nothing with `src/import`, so that no mistake is in both. */
import * as fc from 'fast-check';

/** A schema, or any other object of a document. */
export type Json = Readonly<Record<string, unknown>>;

/** Optional fields and further items end here: schemas may contain themselves. */
const deepest = 4;

const formats: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc.constantFrom('2026-11-26T04:00:00Z', '2026-11-26T04:00:00.125+01:00'),
  date: fc.constant('2026-11-26'),
  email: fc.constant('ann@example.com'),
  uri: fc.webUrl(),
  uuid: fc.uuid(),
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6(),
};

/** Values that fit `schema`, which is a part of `root`. */
export function valuesOf(schema: unknown, root: Json, depth = 0): fc.Arbitrary<unknown> {
  const bare = resolved(schema, root);
  if (typeof bare !== 'object') return fc.constantFrom<unknown>('any', 1, true);
  const own = ownValues(bare, root, depth);
  const types = [bare['type']].flat();
  const isNullable = bare['nullable'] === true || (types.includes('null') && types.length > 1);
  return isNullable ? fc.option(own, { nil: null }) : own;
}

/** What a `$ref` refers to in the end. */
export function resolved(schema: unknown, root: Json): Json | boolean {
  if (typeof schema === 'boolean') return schema;
  const ref = isObject(schema) ? schema['$ref'] : undefined;
  if (typeof ref !== 'string') return isObject(schema) ? schema : true;
  let found: unknown = root;
  for (const token of ref.slice(2).split('/')) {
    const key = decodeURIComponent(token).replaceAll('~1', '/').replaceAll('~0', '~');
    found = isObject(found) ? found[key] : undefined;
  }
  return resolved(found, root);
}

function ownValues(schema: Json, root: Json, depth: number): fc.Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom<unknown>(...schema['enum']);
  const { allOf, oneOf = schema['anyOf'], properties } = schema;
  const kinds = typesOf(schema).map((type) => ofType(type, schema, root, depth));
  const parts: Piece[] = [
    ...(isList(allOf) ? allOf : []).map((one) => ({
      values: valuesOf(one, root, depth),
      schemas: [one],
    })),
    ...(isList(oneOf) ? [{ values: unionOf(oneOf, schema, root, depth), schemas: oneOf }] : []),
    ...(kinds.length > 0 ? [{ values: fc.oneof(...kinds), schemas: [{ properties }] }] : []),
  ];
  const [first] = parts;
  if (first === undefined) return fc.constantFrom<unknown>('any', 1, true);
  if (parts.length === 1) return first.values;
  return fc
    .tuple(...parts.map(({ values }) => values))
    .map((values) => together(values, parts, root));
}

/** Values of a part of a schema, and the schemas that may say of a field which values it has. */
interface Piece {
  readonly values: fc.Arbitrary<unknown>;
  readonly schemas: readonly unknown[];
}

/**
 * One value that fits all: the objects as one, or else the first. Each field is that of the last
 * part that says which values it has, or else of the last one that has it.
 */
function together(values: readonly unknown[], parts: readonly Piece[], root: Json): unknown {
  const all = values.flatMap((value, index) =>
    isObject(value) ? [{ value, schemas: parts[index]?.schemas ?? [] }] : [],
  );
  if (all.length === 0) return values[0];
  const names = new Set(all.flatMap(({ value }) => Object.keys(value)));
  const entries = [...names].map((name) => {
    const having = all.filter(({ value }) => Object.hasOwn(value, name));
    const fixing = having.filter(({ schemas }) => schemas.some((one) => isFixed(one, name, root)));
    return [name, (fixing.at(-1) ?? having.at(-1))?.value[name]] as const;
  });
  return Object.fromEntries(entries);
}

function unionOf(
  members: readonly unknown[],
  schema: Json,
  root: Json,
  depth: number,
): fc.Arbitrary<unknown> {
  const { propertyName, mapping = {} } = isObject(schema['discriminator'])
    ? schema['discriminator']
    : {};
  // Only the member that is drawn is looked into: each may have as many of its own.
  return fc.constantFrom(...members).chain((member) => {
    const values = valuesOf(member, root, depth);
    const ref = isObject(member) ? String(member['$ref']) : '';
    if (typeof propertyName !== 'string') return values;
    const [mapped] = Object.entries(mapping as Json).find(([, value]) => value === ref) ?? [];
    const name = mapped ?? ref.slice(ref.lastIndexOf('/') + 1);
    return values.map((value) =>
      isObject(value) && !(isFixed(member, propertyName, root) && propertyName in value)
        ? { ...value, [propertyName]: name }
        : value,
    );
  });
}

/** Whether a field says itself which values it has. */
function isFixed(schema: unknown, name: string, root: Json): boolean {
  const bare = resolved(schema, root);
  if (typeof bare !== 'object') return false;
  const property = isObject(bare['properties']) ? bare['properties'][name] : undefined;
  const field = resolved(property ?? {}, root);
  if (typeof field === 'object' && ('const' in field || 'enum' in field)) return true;
  return isList(bare['allOf']) && bare['allOf'].some((one) => isFixed(one, name, root));
}

function typesOf(schema: Json): readonly string[] {
  const given = [schema['type']].flat().filter((type) => typeof type === 'string');
  if (given.length > 0) return given.length > 1 ? given.filter((type) => type !== 'null') : given;
  if ('properties' in schema || 'additionalProperties' in schema) return ['object'];
  return 'items' in schema ? ['array'] : [];
}

function ofType(type: string, schema: Json, root: Json, depth: number): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return texts(schema);
    case 'integer':
    case 'number':
      return numbers(schema);
    case 'boolean':
      return fc.boolean();
    case 'array': {
      const minLength = number(schema['minItems']) ?? 0;
      const maxLength = Math.min(number(schema['maxItems']) ?? Infinity, minLength + 2);
      if (depth >= deepest && minLength === 0) return fc.constant([]);
      return fc.array(valuesOf(schema['items'] ?? true, root, depth + 1), { minLength, maxLength });
    }
    case 'object':
      return objects(schema, root, depth);
    default:
      return fc.constant(null);
  }
}

function texts(schema: Json): fc.Arbitrary<string> {
  const { format, pattern } = schema;
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern, 'u'));
  const known = typeof format === 'string' ? formats[format] : undefined;
  if (known !== undefined) return known;
  const minLength = number(schema['minLength']) ?? 0;
  return fc.string({ minLength, maxLength: number(schema['maxLength']) ?? minLength + 8 });
}

/** Integers, which are numbers, too. */
function numbers(schema: Json): fc.Arbitrary<number> {
  const step = number(schema['multipleOf']) ?? 1;
  const isOpen = (keyword: string): boolean => schema[keyword] === true;
  const least = number(schema['exclusiveMinimum']);
  const most = number(schema['exclusiveMaximum']);
  const low = Math.max(
    least === undefined ? -1e6 : least + step,
    (number(schema['minimum']) ?? -1e6) + (isOpen('exclusiveMinimum') ? step : 0),
  );
  const high = Math.min(
    most === undefined ? 1e6 : most - step,
    (number(schema['maximum']) ?? 1e6) - (isOpen('exclusiveMaximum') ? step : 0),
  );
  const [min, max] = [Math.ceil(low / step), Math.floor(high / step)];
  if (min > max) return fc.constant((low + high) / 2);
  return fc.integer({ min, max }).map((count) => count * step);
}

function objects(schema: Json, root: Json, depth: number): fc.Arbitrary<unknown> {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const required = isList(schema['required']) ? schema['required'].map(String) : [];
  const wanted = Object.entries(properties).filter(
    ([name]) => depth < deepest || required.includes(name),
  );
  const fields = wanted.map(([name, one]) => [name, valuesOf(one, root, depth + 1)] as const);
  const undeclared = required
    .filter((name) => !Object.hasOwn(properties, name))
    .map((name) => [name, fc.constant('any')] as const);
  return fc.record(Object.fromEntries([...fields, ...undeclared]), { requiredKeys: required });
}

function number(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
