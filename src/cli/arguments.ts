/** Refuses what a command does not take: it would do something else than it was asked for. */
import { ConfigurationError } from '../errors.ts';

/** The options and words of a command, by name: what citty calls `ArgsDef`. */
type Definitions = Readonly<
  Record<string, { readonly type?: string | undefined; readonly valueHint?: string | undefined }>
>;

interface Given {
  /** Words as `_`, and options by name, unknown ones too. */
  readonly given: Readonly<Record<string, unknown>> & { readonly _: readonly string[] };
  /** As they were written. */
  readonly written: readonly string[];
}

/**
 * @throws ConfigurationError that names every unknown option and word too many, an option whose
 *   value is missing, or one that takes none. An unset variable in a script, as in
 *   `--compositions=$FOLDER`, is missing.
 */
export function checkArguments(command: string, given: Given, definitions: Definitions): void {
  const unknown = unknownIn(given, definitions);
  if (unknown.length > 0) {
    throw new ConfigurationError(
      `plait ${command} does not take ${unknown.join(', ')}. It takes ${takes(definitions)}.`,
    );
  }
  const problem = valueProblem(given, definitions);
  if (problem !== undefined) throw new ConfigurationError(problem);
}

function unknownIn({ given, written }: Given, definitions: Definitions): string[] {
  const names = Object.keys(definitions);
  const words = names.filter((name) => definitions[name]?.type === 'positional');
  const options = optionsIn(written);
  return [
    ...Object.keys(given)
      .filter((name) => name !== '_' && !names.includes(name) && !names.includes(toKebab(name)))
      .map((name) => (name.length === 1 ? `-${name}` : `--${name}`)),
    // citty drops an option that has the name of a word.
    ...words.filter((name) => options.has(name)).map((name) => `--${name}`),
    ...given._.slice(words.length).map((word) => JSON.stringify(word)),
  ];
}

function valueProblem({ given, written }: Given, definitions: Definitions): string | undefined {
  const options = optionsIn(written);
  for (const [name, { type, valueHint }] of Object.entries(definitions)) {
    if (type === 'boolean' && isOdd(options.get(name)))
      return `--${name} takes no value. Write --${name}, or leave it out.`;
    if (type === 'string' && given[name] !== undefined && !given[name])
      return `--${name} has no value. Write --${name}=<${valueHint}>.`;
  }
  return undefined;
}

/** The options that are written as `--name` or `--name=value`, with their values. */
function optionsIn(written: readonly string[]): ReadonlyMap<string, string | undefined> {
  const end = written.indexOf('--');
  const options = end === -1 ? written : written.slice(0, end);
  return new Map(
    options.flatMap((text) => {
      const [, name, value] = /^--([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
      return name === undefined ? [] : [[name, value] as const];
    }),
  );
}

/** Any other text than these would turn a flag on, as `--tolerant=no` would. */
function isOdd(value: string | undefined): boolean {
  return value !== undefined && value !== 'true' && value !== 'false';
}

function takes(definitions: Definitions): string {
  return Object.entries(definitions)
    .map(([name, { type, valueHint }]) => {
      if (type === 'positional') return `<${name}>`;
      return valueHint === undefined ? `--${name}` : `--${name}=<${valueHint}>`;
    })
    .join(', ');
}

/** citty gives `--from-openapi` under `fromOpenapi` as well. */
function toKebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
