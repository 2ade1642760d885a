/** Checks of options that all words of the DSL share. */
import { longestTimerMs } from '../clock.ts';
import { CompositionError } from '../errors.ts';
import { shownValue } from '../shown-value.ts';

/**
 * Rejects unknown options: a misspelt one would silently keep its default. `knob` is the option
 * that holds them, unless they are those of the whole declaration.
 */
export function refuseUnknownKnobs(
  config: object,
  known: readonly string[],
  place: string,
  knob?: string,
): void {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    const subject = knob === undefined ? 'its options are' : `${knob} is`;
    const advice = `Write { ${known[0]}: … }.`;
    throw new CompositionError(place, `${subject} ${shownValue(config)}. ${advice}`);
  }
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new CompositionError(place, unknownOption(unknown, known, knob));
}

/** Says that an option is unknown, and which ones are known. */
export function unknownOption(name: string, known: readonly string[], knob?: string): string {
  const where = knob === undefined ? '' : ` in ${knob}`;
  return `unknown option "${name}"${where}. Known options: ${known.join(', ')}.`;
}

/**
 * Returns `value` if it is a whole number in range; the error names the option. By default it may
 * be as long as a timer takes, which is more than any count or size needs.
 */
export function positive(
  value: number,
  knob: string,
  place: string,
  {
    least = 1,
    most = longestTimerMs,
  }: { least?: number | undefined; most?: number | undefined } = {},
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = typeof value === 'number' && value > most ? `at most ${most}` : `at least ${least}`;
  throw new CompositionError(
    place,
    `${knob} is ${shownValue(value)}. Use a whole number of ${range}.`,
  );
}

/** The default and the range of every option of `Config`. */
export type NumberKnobs<Config> = {
  readonly [Name in keyof Required<Config>]: {
    readonly default: number | undefined;
    /** Default 1. */
    readonly least?: number;
    readonly most?: number;
  };
};

/** The options as they are when none is set. */
export function defaultsOf<Knobs extends NumberKnobs<Record<string, number>>>(knobs: Knobs) {
  return numbers({}, knobs, { knob: 'default', place: 'defaults' });
}

/** Checks the whole numbers of `config` and fills in defaults. */
export function numbers<Knobs extends NumberKnobs<Record<string, number>>>(
  config: { readonly [Name in keyof Knobs]?: number | undefined },
  knobs: Knobs,
  {
    knob,
    place,
    inherited,
  }: { knob: string; place: string; inherited?: Readonly<Record<string, number>> | undefined },
): { readonly [Name in keyof Knobs]: number | Extract<Knobs[Name]['default'], undefined> } {
  refuseUnknownKnobs(config, Object.keys(knobs), place, knob);
  const entries = Object.entries(knobs).map(([name, { default: unset, least, most: limit }]) => {
    const value = config[name] === undefined ? (inherited?.[name] ?? unset) : config[name];
    const full = `${knob}.${name}`;
    return [
      name,
      value === undefined ? value : positive(value, full, place, { least, most: limit }),
    ];
  });
  return Object.fromEntries(entries) as never; // has a value for every option
}

/** Returns `value` if it is between 0 and 1, both excluded. */
export function share(value: number, knob: string, place: string): number {
  if (typeof value === 'number' && value > 0 && value < 1) return value;
  throw new CompositionError(
    place,
    `${knob} is ${shownValue(value)}. Use a number between 0 and 1, as in 0.95.`,
  );
}

/** Rejects a minimum that exceeds its maximum. */
export function refuseReversed(place: string, knobs: Readonly<Record<string, number>>): void {
  const [[name, least] = ['', 0], [otherName, most] = ['', 0]] = Object.entries(knobs);
  if (least <= most) return;
  throw new CompositionError(
    place,
    `${name} is ${least}, more than ${otherName}, which is ${most}. Set both.`,
  );
}
