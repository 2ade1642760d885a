/** The operations of a document that can be called without knowing what they mean. */
import { isObject, resolved } from './values.ts';
import type { Json } from './values.ts';

export interface TrialEndpoint {
  /** As the document writes it. */
  readonly path: string;
  /** With `1` for each parameter, which is what a call gives. */
  readonly target: string;
  readonly schema: unknown;
}

/** GETs that answer JSON and need no more than path parameters. */
export function endpointsOf(root: Json): readonly TrialEndpoint[] {
  const paths = isObject(root['paths']) ? root['paths'] : {};
  return Object.entries(paths).flatMap(([path, item]) => {
    const get = isObject(item) ? item['get'] : undefined;
    if (!isObject(item) || !isObject(get)) return [];
    const parameters = [item['parameters'] ?? [], get['parameters'] ?? []].flat();
    const isNeeded = parameters.some((parameter) => {
      const one = resolved(parameter, root);
      return isObject(one) && one['required'] === true && one['in'] !== 'path';
    });
    const schema = schemaOf(get, root);
    const target = path.replaceAll(/\{[^}]*\}/g, '1');
    return isNeeded || schema === undefined ? [] : [{ path, target, schema }];
  });
}

function schemaOf(operation: Json, root: Json): unknown {
  const responses = isObject(operation['responses']) ? operation['responses'] : {};
  const answers = Object.keys(responses).filter((status) => status.startsWith('2'));
  const response = resolved(responses['200'] ?? {}, root);
  const content = isObject(response) ? response['content'] : undefined;
  const media = isObject(content) ? content['application/json'] : undefined;
  return answers.length === 1 && isObject(media) ? media['schema'] : undefined;
}
