/** Checks that every word of the DSL does on its options. */
import { CompositionError } from '../errors.ts';

/** Refuses options that do not exist: a misspelt one would silently be the default. */
export function refuseUnknownKnobs(config: object, known: readonly string[], place: string): void {
  const unknown = Object.keys(config).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  throw new CompositionError(place, `"${unknown}" is not known here. Known: ${known.join(', ')}.`);
}

/** What fits a timer, and is more than any count or size here needs. */
const most = 2 ** 31 - 1;

/** A whole number from `least` on; anything else is refused with the knob's name. */
export function positive(value: number, knob: string, place: string, least = 1): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  const range = value > most ? `up to ${most}` : `from ${least} on`;
  throw new CompositionError(place, `${knob} is ${value}. Use a whole number ${range}.`);
}
