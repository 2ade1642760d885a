/** The operations of a document that can be called without knowing what they mean. */
import { isObject, resolved } from './values.ts';
import type { Json } from './values.ts';

export interface TrialEndpoint {
  /** `GET` */
  readonly method: string;
  /** As the document writes it. */
  readonly path: string;
  /** With `1` for each parameter, which is what a call gives. */
  readonly target: string;
  /** The only status of a success. */
  readonly status: number;
  /** The schema of the answer; `undefined` if that has no body. */
  readonly schema: unknown;
  /** The schema of the body that is sent; `undefined` for a GET. */
  readonly body: unknown;
}

const methods = ['get', 'post', 'put', 'patch'];

/** GETs that answer JSON, and writes that send it, which need no more than path parameters. */
export function endpointsOf(root: Json): readonly TrialEndpoint[] {
  const paths = isObject(root['paths']) ? root['paths'] : {};
  return Object.entries(paths).flatMap(([path, item]) =>
    isObject(item) ? methods.flatMap((method) => endpointOf({ method, path, item }, root)) : [],
  );
}

function endpointOf(
  { method, path, item }: { method: string; path: string; item: Json },
  root: Json,
): readonly TrialEndpoint[] {
  const operation = item[method];
  if (!isObject(operation)) return [];
  const answer = answerOf(operation, root);
  const isRead = method === 'get';
  const body = isRead ? undefined : jsonOf(operation['requestBody'], root);
  const isKnown = isRead ? answer?.schema !== undefined : body !== undefined;
  if (answer === undefined || !isKnown || needsMore(item, operation, root)) return [];
  const target = path.replaceAll(/\{[^}]*\}/g, '1');
  return [{ method: method.toUpperCase(), path, target, body, ...answer }];
}

/** Whether a call has to give more than path parameters and a body. */
function needsMore(item: Json, operation: Json, root: Json): boolean {
  return [item['parameters'] ?? [], operation['parameters'] ?? []].flat().some((parameter) => {
    const one = resolved(parameter, root);
    return isObject(one) && one['required'] === true && one['in'] !== 'path';
  });
}

/** The only success, if its body is JSON, or if it has none. */
function answerOf(
  operation: Json,
  root: Json,
): Pick<TrialEndpoint, 'status' | 'schema'> | undefined {
  const responses = isObject(operation['responses']) ? operation['responses'] : {};
  const [status = '', ...others] = Object.keys(responses).filter((one) => one.startsWith('2'));
  if (!/^2\d\d$/.test(status) || others.length > 0) return undefined;
  const answer = resolved(responses[status], root);
  const schema = jsonOf(answer, root);
  const isOther = schema === undefined && isObject(answer) && isObject(answer['content']);
  return isOther ? undefined : { status: Number(status), schema };
}

/** The schema of the JSON in a response or request body. */
function jsonOf(part: unknown, root: Json): unknown {
  const bare = resolved(part ?? {}, root);
  const content = isObject(bare) ? bare['content'] : undefined;
  const media = isObject(content) ? content['application/json'] : undefined;
  return isObject(media) ? media['schema'] : undefined;
}
