/** Refuses what a command does not take: it would do something else than it was asked for. */
import { ConfigurationError } from '../errors.ts';

/** The options and words of a command, by name: what citty calls `ArgsDef`. */
type Definitions = Readonly<
  Record<string, { readonly type?: string | undefined; readonly valueHint?: string | undefined }>
>;

/** What was given: words as `_`, and options by name, unknown ones too. */
interface Given extends Readonly<Record<string, unknown>> {
  readonly _: readonly string[];
}

/**
 * @throws ConfigurationError that names every unknown option and word too many, or an option whose
 *   value is missing. An unset variable in a script, as in `--compositions=$FOLDER`, is one.
 */
export function checkArguments(command: string, given: Given, definitions: Definitions): void {
  const names = Object.keys(definitions);
  const words = names.filter((name) => definitions[name]?.type === 'positional');
  const unknown = [
    ...Object.keys(given)
      .filter((name) => name !== '_' && !names.includes(name) && !names.includes(toKebab(name)))
      .map((name) => (name.length === 1 ? `-${name}` : `--${name}`)),
    ...given._.slice(words.length).map((word) => JSON.stringify(word)),
  ];
  if (unknown.length > 0) {
    throw new ConfigurationError(
      `plait ${command} does not take ${unknown.join(', ')}. It takes ${takes(definitions)}.`,
    );
  }
  const empty = names.find(
    (name) => definitions[name]?.type === 'string' && given[name] !== undefined && !given[name],
  );
  if (empty === undefined) return;
  const hint = definitions[empty]?.valueHint;
  throw new ConfigurationError(`--${empty} has no value. Write --${empty}=<${hint}>.`);
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
