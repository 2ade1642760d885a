/** The types of `answer`: a response with a status and headers. */
import type { Cookie } from '../cookie.ts';
import type { Reference } from './reference.ts';

declare const answered: unique symbol;

/** The response that `answer` returns, whose template is a `W`. */
export interface Answered<out W> {
  readonly [answered]: W;
}

type Text = string | number | null | undefined;

/** The text of a header, or the texts of a list; `null` and `undefined` leave it out. */
export type HeaderValue =
  | Text
  | Reference<Text>
  | Reference<readonly string[] | null | undefined>
  | readonly (Text | Reference<Text>)[];

/** A cookie whose parts may be references; it is left out if its `value` is `null`. */
export type CookieValue = {
  readonly [Field in keyof Cookie]: Cookie[Field] | Reference<Cookie[Field] | null | undefined>;
};

export interface AnswerOptions {
  /** 200 to 204, a redirect, 4xx, or 503. Default 200. */
  readonly status?: number | Reference<number>;
  /** By their lower-case names. Cookies are for `set-cookie`. */
  readonly headers?: {
    readonly [name: string]: HeaderValue | CookieValue | readonly CookieValue[];
  };
}

/** The answer before its references are sources of a plan. */
export class AnswerDraft {
  readonly template: unknown;
  readonly options: AnswerOptions;

  constructor(template: unknown, options: AnswerOptions) {
    this.template = template;
    this.options = options;
  }
}

/** Whether a value was made by `answer`. A reference is a function, and is not asked. */
export function isAnswer(value: unknown): value is AnswerDraft {
  return typeof value === 'object' && value instanceof AnswerDraft;
}
