/** `answer`: a response with a status and headers of the composition. */
import { CompositionError } from '../errors.ts';
import { isPlainObject } from '../plain-object.ts';
import { AnswerDraft } from './answered.ts';
import type { AnswerOptions, Answered } from './answered.ts';
import { currentDraft } from './draft.ts';
import type { Draft } from './draft.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import type { Template } from './node.ts';
import { toTemplate } from './template.ts';

/**
 * Gives the response a status and headers. It is what `compose` returns, and not a part of it.
 *
 * @example
 * return answer(
 *   { id: order.body.id },
 *   { status: 201, headers: { location: order.headers.location } },
 * );
 */
export function answer<const W>(template: W, options: AnswerOptions = {}): Answered<W> {
  currentDraft('answer');
  // The brand exists in types only; this is the one place where a value gets it.
  return new AnswerDraft(template, options) as unknown as Answered<W>;
}

/** The status and headers that `compose` has given, as templates. */
export interface ComposedAnswer {
  readonly status: Template;
  readonly headers: readonly (readonly [name: string, value: Template])[];
}

export function toAnswer(draft: Draft, { options }: AnswerDraft): ComposedAnswer {
  refuseUnknownKnobs(options, ['status', 'headers'], `${draft.place}: answer()`);
  const { status = 200, headers = {} } = options;
  if (!isPlainObject(headers))
    throw new CompositionError(
      draft.place,
      'answer(): headers is not an object. Write headers: { location: … }.',
    );
  return {
    status: toTemplate(draft, status, 'answer(): status'),
    headers: Object.entries(headers).map(
      ([name, value]) => [name, toTemplate(draft, value, `answer(): headers.${name}`)] as const,
    ),
  };
}

/** The templates that are filled beside the body. */
export function templatesOf({ status, headers }: ComposedAnswer): readonly Template[] {
  return [status, ...headers.map(([, value]) => value)];
}
