/**
 * Options that a document allows for and that are left to the author: they show clients what a
 * service says, give a value another shape, or make several calls of one.
 */
import { child, children } from './document.ts';
import type { Document, Part } from './document.ts';
import { successesOf } from './endpoints.ts';
import type { Endpoint } from './endpoints.ts';
import { ofResource } from './answer-headers.ts';
import { propertiesOf } from './keywords.ts';
import { pagesOf } from './paging.ts';
import { kindsOf } from './parameters.ts';
import type { Parameter } from './parameters.ts';
import type { Suggestion } from './report.ts';
import type { Tools } from './tools.ts';

export function suggestionsFor(
  { method, operation }: Endpoint,
  parameters: readonly Parameter[],
  tools: Tools,
): readonly Omit<Suggestion, 'operations'>[] {
  const { document } = tools;
  const pages = method === 'GET' ? pagesOf(operation, parameters, tools) : undefined;
  const problem = method === 'HEAD' ? undefined : problemOf(operation, document);
  const headers = method === 'HEAD' ? [] : headersBesideBody(operation, document);
  return [
    { option: problem, effect: "shows clients the service's texts about their requests" },
    { option: pages, effect: 'reads more than the first page' },
    {
      option: headers.length === 0 ? undefined : 'response: { headers }',
      effect: `makes these part of the value (${headers.join(', ')})`,
    },
  ].flatMap(({ option, effect }) => (option === undefined ? [] : [{ option, effect }]));
}

/** The option `problem`, if errors of a 400 or 422 have texts as RFC 9457 (3) shows them. */
function problemOf(operation: Part, document: Document): string | undefined {
  for (const status of ['400', '422']) {
    const declared = child(operation, 'responses', status);
    const content = declared && child(document.follow(declared), 'content');
    const media = children(content).find(({ key }) => /^application\/problem\+json\b/i.test(key));
    const schema = media && child(media, 'schema');
    const names = schema === undefined ? [] : textsInErrors(schema, document);
    if (names.includes('detail')) {
      const pointer = names.includes('pointer') ? "pointer: 'pointer', " : '';
      return `problem: { errors: 'errors', ${pointer}detail: 'detail' }`;
    }
  }
  return undefined;
}

/** The names of the texts that an entry of `errors` has. */
function textsInErrors(schema: Part, document: Document): readonly string[] {
  const errors = propertiesOf(schema, document).find(({ key }) => key === 'errors');
  const entry = errors && child(document.follow(errors), 'items');
  if (entry === undefined) return [];
  return propertiesOf(entry, document)
    .filter((property) => kindsOf(property, document).join() === 'string')
    .map(({ key }) => key);
}

/** The headers about what was read or made, and cookies, of answers that have a body as well. */
function headersBesideBody(operation: Part, document: Document): readonly string[] {
  const answers = successesOf(operation, document);
  const hasBody = answers.some((answer) => children(child(answer, 'content')).length > 0);
  const names = answers
    .flatMap((answer) => children(child(answer, 'headers')))
    .map(({ key }) => key.toLowerCase())
    .filter((name) => name === 'set-cookie' || (hasBody && ofResource.has(name)));
  return [...new Set(names)].toSorted();
}
