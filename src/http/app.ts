/** Endpoints → the handler that serves them. Another set of endpoints is another handler. */
import { RequestError } from '../errors.ts';
import type { Exchange, Handler } from './exchange.ts';
import { livePath, readyPath } from './health.ts';
import { problemResponse, toProblem } from './problem.ts';
import type { ClientRequest } from './request.ts';
import { createRouter } from './router.ts';
import { TextResponse, jsonResponse } from './text-response.ts';

/** A request that has found its endpoint. */
export interface Visit {
  readonly request: ClientRequest;
  readonly exchange: Exchange;
  /** What stands for the parameters in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

/** A method, a path as `/orders/:orderId`, and what answers there. An error it throws becomes a problem. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly handle: (visit: Visit) => TextResponse | Promise<TextResponse>;
}

export interface AppOptions {
  readonly endpoints: readonly Endpoint[];
  /** Whether new requests are welcome: `/readyz`. */
  readonly isReady: () => boolean;
  /** Told of errors that are nobody's declared failure. */
  readonly onInternalError: (error: unknown) => void;
}

export function createApp({ endpoints, isReady, onInternalError }: AppOptions): Handler {
  const router = createRouter<Endpoint['handle']>();
  for (const { method, path, handle } of [...healthEndpoints(isReady), ...endpoints]) {
    router.add(method, path, handle);
  }

  return async (request, exchange) => {
    const { path } = request;
    try {
      if (request.refusal !== undefined) throw request.refusal;
      // HEAD is GET without the body (RFC 9110, 9.3.2), which is not written then.
      const method = request.method === 'HEAD' ? 'GET' : request.method;
      const found = router.find(method, path);
      if (found === undefined) return answerOthers(request.method, path);
      return await found.value({ request, exchange, params: found.params });
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) exchange.error = error;
      if (problem.status === 500) onInternalError(error);
      const response = problemResponse(problem, exchange, path);
      if (problem.status === 405) response.headers.set('allow', allowed(path));
      return response;
    }
  };

  /** OPTIONS, which says what there is, and any other method (RFC 9110, 15.5.6). */
  function answerOthers(method: string, path: string): TextResponse {
    const allow = allowed(path);
    if (allow === '') throw new RequestError('not-found', 'There is nothing at this address.');
    if (method !== 'OPTIONS') throw new RequestError('method-not-allowed', `Use ${allow}.`);
    return new TextResponse(null, 204, { allow });
  }

  function allowed(path: string): string {
    const methods = router.methodsAt(path);
    if (methods.length === 0) return '';
    const all = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    return [...all, 'OPTIONS'].join(', ');
  }
}

/** Liveness and readiness, for whoever runs the process. */
function healthEndpoints(isReady: () => boolean): Endpoint[] {
  return [
    { method: 'GET', path: livePath, handle: () => jsonResponse({ status: 'ok' }) },
    {
      method: 'GET',
      path: readyPath,
      handle: () =>
        isReady() ? jsonResponse({ status: 'ok' }) : jsonResponse({ status: 'stopping' }, 503),
    },
  ];
}
