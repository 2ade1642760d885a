/** The body of a response, and the headers that say what it is: JSON, or bytes of a service. */
import { isBytes } from '../bytes.ts';
import type { Answered } from '../engine/execution.ts';
import { stringifyJson } from '../json.ts';
import { operationsOf } from '../plan/visit.ts';
import type { Plan } from '../plan/plan.ts';
import { withProblems } from './degraded.ts';

export interface Representation {
  /** The headers that the composition may replace. */
  describe(outcome: Answered): Readonly<Record<string, string>>;
  contentOf(outcome: Answered): string | Buffer;
}

/** Chooses how the responses of a plan are written. */
export function representationOf(plan: Plan): Representation {
  const kinds = operationsOf(plan).map(({ responseKind }) => responseKind.kind);
  return kinds.includes('bytes') ? bytesOrJson : json;
}

const jsonType = Object.freeze({ 'content-type': 'application/json' });

const json: Representation = {
  describe: () => jsonType,
  contentOf: (outcome) => stringifyJson(withProblems(outcome) ?? null),
};

/** A tolerated failure of a plan that gives bytes is JSON. */
const bytesOrJson: Representation = {
  describe: ({ value }) =>
    // In a browser, a page or an image of a service must not act on behalf of this origin.
    isBytes(value)
      ? { 'content-type': value.type, 'content-security-policy': 'sandbox' }
      : jsonType,
  contentOf: (outcome) =>
    isBytes(outcome.value) ? outcome.value.content : json.contentOf(outcome),
};
