/**
 * Secrets: the texts of sources, read at start-up. They are held in closures only, so that nothing
 * that prints an object can print one.
 */
import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import type { SourceUse } from '../../dsl/credentials.ts';
import { nameOfSource } from '../../dsl/source.ts';
import type { Source } from '../../dsl/source.ts';
import type { Environment } from '../../environment.ts';
import { ConfigurationError, errorCode } from '../../errors.ts';
import { headerValueProblem } from '../../header-value.ts';
import { onceAMinute } from '../../quiet.ts';
import { parseTokenUrl, tokenUrlRule } from '../../url.ts';
import { certificateProblem, privateKeyProblem } from './pem.ts';

/** The text of one source. */
export interface Secret {
  /** The text now. A file is looked at again in the background, once a second at most. */
  text(): string;
  /** Looks at a file at once. */
  lookAgain(): Promise<void>;
}

/** Finds the secret of a source. Throws a ConfigurationError if the source was not read. */
export type Secrets = (source: Source) => Secret;

export interface SecretsOptions {
  readonly clock: Clock;
  readonly onWarning: (message: string) => void;
}

/** The rest of a sentence that says why a text cannot be used, without quoting it. */
export type TextRule = (text: string) => string | undefined;

/** A source, and the service that needs it, for messages. */
export interface NeededSource {
  readonly source: Source;
  readonly carriedBy: SourceUse['carriedBy'] | TextRule;
  readonly service?: string;
  /** Its further uses, as a sentence for messages. */
  readonly usedFor?: string;
}

/** The texts that were read at start-up. */
export interface ReadSecrets {
  /** A line for every source that is missing or cannot be used. */
  readonly problems: readonly string[];
  readonly open: (options: SecretsOptions) => Secrets;
}

/** How often a file is looked at, at most. */
const lookEveryMs = 1_000;

/** Reads every source once. */
export function readSecrets(uses: readonly NeededSource[], environment: Environment): ReadSecrets {
  const problems = new Set<string>();
  const texts = new Map<string, Reading>();
  for (const { source, carriedBy, service, usedFor = '' } of uses) {
    const reading = texts.get(nameOf(source)) ?? readAtStart(source, environment);
    const rules = [...(reading.rules ?? []), carriedBy];
    texts.set(nameOf(source), { ...reading, rules });
    const problem = reading.problem ?? textProblem(reading.text(), [carriedBy]);
    const needed = service === undefined ? usedFor : `The service "${service}" needs it.`;
    if (problem !== undefined)
      problems.add(`${nameOfSource(source)} ${problem}. ${needed}`.trimEnd());
  }
  return {
    problems: [...problems],
    open(options) {
      const secrets = new Map<string, Secret>();
      for (const [name, reading] of texts) secrets.set(name, openSecret(reading, options));
      return function secretOf(source) {
        const secret = secrets.get(nameOf(source));
        if (secret !== undefined) return secret;
        return noSecrets(source);
      };
    },
  };
}

/** Knows no secret. */
export const noSecrets: Secrets = function noSecret(source) {
  const reads = 'Read the settings by parseSettings, and pass the secrets of openParts on';
  throw new ConfigurationError(`${nameOfSource(source)} was not read. ${reads}.`);
};

interface Reading {
  readonly source: Source;
  readonly problem?: string;
  readonly text: () => string;
  /** Which file it was, so that a new one is noticed; empty for a variable. */
  readonly stamp: string;
  readonly rules?: readonly NeededSource['carriedBy'][];
}

function nameOf(source: Source): string {
  return 'env' in source ? `env ${source.env}` : `file ${source.file}`;
}

function readAtStart(source: Source, environment: Environment): Reading {
  if ('env' in source) {
    const text = environment[source.env] ?? '';
    const problem = text.trim() === '' ? 'is not set' : undefined;
    return { source, stamp: '', text: () => text, ...(problem !== undefined && { problem }) };
  }
  try {
    const stamp = stampOf(statSync(source.file));
    const text = withoutLineEnd(readFileSync(source.file, 'utf8'));
    return { source, stamp, text: () => text };
  } catch (error) {
    return { source, stamp: '', text: () => '', problem: unreadable(error) };
  }
}

function openSecret(reading: Reading, options: SecretsOptions): Secret {
  const { source } = reading;
  if ('file' in source) return openFile(source.file, reading, options);
  return { text: reading.text, lookAgain: async () => undefined };
}

function openFile(path: string, reading: Reading, { clock, onWarning }: SecretsOptions): Secret {
  const mayWarn = onceAMinute(clock);
  let text = reading.text();
  let { stamp } = reading;
  let lookedAt = clock.now();
  let look: Promise<void> | undefined;

  async function lookAgain(): Promise<void> {
    try {
      const found = stampOf(await stat(path));
      if (found === stamp) return;
      const read = withoutLineEnd(await readFile(path, 'utf8'));
      const problem = textProblem(read, reading.rules ?? []);
      if (problem !== undefined) return warn(problem);
      text = read;
      stamp = found;
    } catch (error) {
      warn(unreadable(error));
    }
  }

  function warn(problem: string): void {
    if (mayWarn()) onWarning(`${path} ${problem}. Its last content stays in use.`);
  }

  function begin(): Promise<void> {
    lookedAt = clock.now();
    look ??= lookAgain().finally(() => (look = undefined));
    return look;
  }

  return {
    text() {
      if (clock.now() - lookedAt >= lookEveryMs) void begin();
      return text;
    },
    async lookAgain() {
      // A look that is under way may have begun before the change.
      await look;
      await begin();
    },
  };
}

/** Changes when a file is written, or replaced by another one. */
function stampOf({ mtimeMs, ino, size }: { mtimeMs: number; ino: number; size: number }): string {
  return [mtimeMs, ino, size].join(' ');
}

function withoutLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}

function unreadable(error: unknown): string {
  return `cannot be read (${errorCode(error) ?? 'unknown'})`;
}

/** The rest of a sentence that says why a text cannot be used; it never quotes the text. */
function textProblem(
  text: string,
  rules: readonly NeededSource['carriedBy'][],
): string | undefined {
  if (text.trim() === '') return 'is empty';
  for (const rule of rules) {
    const problem = typeof rule === 'function' ? rule(text) : undefined;
    if (problem !== undefined) return problem;
  }
  if (rules.includes('user') && text.includes(':')) return 'has a colon, which ends a user name';
  if (rules.includes('url') && parseTokenUrl(text) === undefined)
    return `is not the URL of a token endpoint. Use ${tokenUrlRule}`;
  if (rules.includes('certificate')) return certificateProblem(text);
  if (rules.includes('privateKey')) return privateKeyProblem(text);
  return rules.includes('header') ? headerValueProblem(text) : undefined;
}
