/** `errors` of a lookup: entries by which one key has failed, beside the items or among them. */
import type { z } from 'zod';
import { CompositionError } from '../errors.ts';
import { usableSchema } from './failure-rule.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { textAtAll } from './lookup-by.ts';
import type { KeyRule } from './lookup-by.ts';
import { parsePath } from './path.ts';
import type { Path } from './path.ts';
import { checkedStatus } from './status-rule.ts';
import type { CheckedStatus, StatusIn, StatusRule } from './status-rule.ts';

export type ErrorsConfig<When extends z.ZodType> =
  | {
      /** The path of the list of errors in the body, or of an object of them by key. */
      readonly items: string;
      /** The path of the key in an error, or one for each part; without it, errors are by key. */
      readonly by?: string | readonly string[];
      /** The status of an error. Default 502. */
      readonly status?: StatusRule<string>;
      readonly when?: undefined;
    }
  | {
      /** A schema that only items fit that are errors. */
      readonly when: When;
      readonly status: StatusIn<NoInfer<z.output<When>>>;
      readonly items?: undefined;
      readonly by?: undefined;
    };

/** The rule, checked. */
export interface ErrorRule extends CheckedStatus {
  /** The path of the errors in the body; `undefined`: they are among the items. */
  readonly items: Path | undefined;
  /** The text of an error's key; `undefined`: they are an object by key. */
  readonly textOf: KeyRule['textOfItem'] | undefined;
  /** The schema of items that are errors. */
  readonly when: z.ZodType | undefined;
}

/** The options as they may come from JavaScript. */
export type GivenErrors = Partial<Record<'items' | 'by' | 'when' | 'status', unknown>>;

export function checkedErrors(
  config: GivenErrors | undefined,
  rule: KeyRule,
  place: string,
): ErrorRule | undefined {
  if (config === undefined) return undefined;
  refuseUnknownKnobs(config, ['items', 'by', 'when', 'status'], place, 'errors');
  if ((config.items === undefined) === (config.when === undefined)) {
    const found = config.when === undefined ? 'neither items nor when' : 'both items and when';
    throw new CompositionError(
      place,
      `errors has ${found}. Use { items: "errors", by: "id" } for errors beside the items, or ` +
        '{ when: z.object({ … }), status: … } for errors among them.',
    );
  }
  const isBeside = config.items !== undefined;
  return Object.freeze(isBeside ? beside(config, rule, place) : among(config, place));
}

function among({ when, status, by }: GivenErrors, place: string): ErrorRule {
  const schema = usableSchema(when, 'errors.when', place);
  if (by !== undefined)
    throw new CompositionError(place, 'errors.by is for errors beside the items. Remove it.');
  const where = { knob: 'errors.status', schema, holder: 'errors.when', place };
  return { items: undefined, textOf: undefined, when: schema, ...checkedStatus(status, where) };
}

function beside({ items, by, status }: GivenErrors, rule: KeyRule, place: string): ErrorRule {
  return {
    items: parsePath(items, 'errors.items', place),
    textOf: by === undefined ? undefined : textAtAll(checkedPaths(by, rule, place), rule.normalise),
    when: undefined,
    ...checkedStatus(status ?? 502, { knob: 'errors.status', place }),
  };
}

function checkedPaths(by: unknown, rule: KeyRule, place: string): readonly Path[] {
  const paths = [by].flat().map((text) => parsePath(text, 'errors.by', place));
  if (paths.length === rule.by.length) return paths;
  const [given, wanted] = [paths, rule.by].map(({ length }) => parts(length));
  throw new CompositionError(
    place,
    `errors.by has ${given}, but a key has ${wanted}. Give a path for each.`,
  );
}

function parts(count: number): string {
  return count === 1 ? '1 part' : `${count} parts`;
}

/** `errors`, or `among the items` */
export function shownErrors({ items }: ErrorRule): string {
  return items === undefined ? 'among the items' : items.text;
}
