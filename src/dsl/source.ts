/** Sources: where a text comes from that is not written in a composition, like a secret. */
import { CompositionError } from '../errors.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { shownSecret, shownValue } from '../shown-value.ts';

/** The name of an environment variable that holds a text. */
export interface FromEnvironment {
  readonly env: string;
}

/** The path of a file that holds a text; the file is read again when it changes. */
export interface FromFile {
  readonly file: string;
}

/** Where a text comes from; never the text. */
export type Source = FromEnvironment | FromFile;

/** A text, or where it comes from. */
export type Text = string | Source;

/** Whether a name can be that of a variable: one with `=` or without letters cannot be set. */
export function isVariableName(name: unknown): boolean {
  return typeof name === 'string' && /^[A-Za-z_]\w*$/.test(name);
}

/**
 * Checks a source that stands for a secret.
 *
 * @throws CompositionError when it is a text, since source code is copied.
 */
export function checkedSecret(source: Source, knob: string, place: string): Source {
  if (typeof source !== 'string') return checkedSource(source, knob, place);
  throw new CompositionError(
    place,
    `${knob} is a text. Use ${example}: a secret in source code is in every copy of it.`,
  );
}

/** Checks a text, or where it comes from. */
export function checkedText(text: Text, knob: string, place: string): Text {
  if (typeof text !== 'string') return checkedSource(text, knob, place);
  if (text !== '') return text;
  throw new CompositionError(place, `${knob} is empty. Use a text, or ${example}.`);
}

/** Checks a source; a text is refused, and not repeated. */
export function checkedSource(source: Source, knob: string, place: string): Source {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw new CompositionError(place, `${knob} is ${shownSecret(source)}. Use ${example}.`);
  }
  refuseUnknownKnobs(source, ['env', 'file'], place, knob);
  const { env, file } = source as Partial<FromEnvironment & FromFile>; // both are checked here
  if ((env === undefined) === (file === undefined))
    throw new CompositionError(
      place,
      `${knob} must name one variable or one file, not ${env === undefined ? 'none' : 'both'}. ` +
        `Use ${example}.`,
    );
  if (env !== undefined) {
    if (isVariableName(env)) return Object.freeze({ env });
    // It may be the secret itself, written where the name of its variable belongs.
    throw new CompositionError(
      place,
      `${knob}.env is ${shownSecret(env)} that is not a name of a variable. Use ${example}.`,
    );
  }
  if (typeof file === 'string' && file !== '' && !file.includes('\0'))
    return Object.freeze({ file });
  throw new CompositionError(place, `${knob}.file is ${shownValue(file)}, which is not a path.`);
}

const example = '{ env: "NAME" } or { file: "/path" }';

/** `env PAYMENTS_KEY`, or `file /run/secrets/key`. */
export function shownSource(source: Source): string {
  return 'env' in source ? `env ${source.env}` : `file ${source.file}`;
}

/** How a message about its text begins: the variable, or the path. */
export function nameOfSource(source: Source): string {
  return 'env' in source ? source.env : source.file;
}
