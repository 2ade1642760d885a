/** Checks that every word of the DSL does on its options. */
import { CompositionError } from '../errors.ts';

/** Refuses options that do not exist: a misspelt one would silently be the default. */
export function refuseUnknownKnobs(config: object, known: readonly string[], place: string): void {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new CompositionError(place, `is ${toText(config)}. Write { ${known[0]}: … }.`);
  }
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new CompositionError(
    place,
    `unknown option "${unknown}". Known options: ${known.join(', ')}.`,
  );
}

/** What fits a timer, and is more than any count or size here needs. */
const longest = 2 ** 31 - 1;

/** A whole number from `least` on; anything else is refused with the knob's name. */
export function positive(
  value: number,
  knob: string,
  place: string,
  { least = 1, most = longest }: { least?: number | undefined; most?: number | undefined } = {},
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = value > most ? `at most ${most}` : `at least ${least}`;
  throw new CompositionError(place, `${knob} is ${toText(value)}. Use a whole number of ${range}.`);
}

/** A value that is none of those it could be, as it would be written. */
function toText(value: unknown): string {
  return typeof value === 'string' || Array.isArray(value)
    ? JSON.stringify(value)
    : typeof value === 'function'
      ? 'a function'
      : String(value);
}

/** Of every knob of `Config`: its default, where it has one, and what it may be set to. */
export type NumberKnobs<Config> = {
  readonly [Name in keyof Required<Config>]: {
    readonly default: number | undefined;
    /** Default 1. */
    readonly least?: number;
    readonly most?: number;
  };
};

/** The defaults of all knobs that have one. */
export function defaultsOf<Knobs extends NumberKnobs<Record<string, number>>>(knobs: Knobs) {
  return numbers({}, knobs, { knob: 'default', place: 'defaults' });
}

/** The whole numbers of `config`, checked, with defaults for those that are not set. */
export function numbers<Knobs extends NumberKnobs<Record<string, number>>>(
  config: { readonly [Name in keyof Knobs]?: number | undefined },
  knobs: Knobs,
  {
    knob,
    place,
    inherited,
  }: { knob: string; place: string; inherited?: Readonly<Record<string, number>> | undefined },
): { readonly [Name in keyof Knobs]: number | Extract<Knobs[Name]['default'], undefined> } {
  refuseUnknownKnobs(config, Object.keys(knobs), `${place}: ${knob}`);
  const entries = Object.entries(knobs).map(([name, { default: unset, least, most: limit }]) => {
    const value = config[name] === undefined ? (inherited?.[name] ?? unset) : config[name];
    const full = `${knob}.${name}`;
    return [
      name,
      value === undefined ? value : positive(value, full, place, { least, most: limit }),
    ];
  });
  return Object.fromEntries(entries) as never; // one value for every knob
}

/** A number between 0 and 1, both excluded. */
export function share(value: number, knob: string, place: string): number {
  if (typeof value === 'number' && value > 0 && value < 1) return value;
  throw new CompositionError(
    place,
    `${knob} is ${toText(value)}. Use a number between 0 and 1, as in 0.95.`,
  );
}
