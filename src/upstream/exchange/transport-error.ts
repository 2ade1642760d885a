/** Errors of undici and of the system → upstream errors, by how far the exchange got. */
import { callError } from '../call.ts';
import type { Attempt } from '../call.ts';

/**
 * How far the exchange got. undici starts a request once it has a connection for it. `idle`: the
 * connection had been idle, and has received nothing since.
 */
export type Phase = 'connect' | 'idle' | 'request' | 'answer';

/** Says in terms of the call which error of undici or of the system has ended it. */
export function toCallError(
  call: Pick<Attempt, 'operation'>,
  error: Error & { code?: string },
  phase: Phase,
): Error {
  const code = error.code ?? error.name;
  // By the gateway, which breaks its connections when it has stopped.
  if (code === 'UND_ERR_DESTROYED') {
    return callError(call, 'aborted', 'was cut off, since the gateway stops', { cause: error });
  }
  if (phase === 'connect') {
    return callError(call, 'connect', `no connection (${code})`, { cause: error });
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return callError(call, 'too-large', 'answered with headers that are too large', {
      cause: error,
    });
  }
  const interim = interimOf(error, code);
  if (interim !== undefined) {
    const message = `answered ${interim}, which was not asked for and is not supported`;
    return callError(call, 'invalid-body', message);
  }
  // undici's parser errors have no code. No cause, since it contains the bytes that were received.
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return callError(
      call,
      'invalid-body',
      `answered something that is not HTTP: ${error.message}`,
      {
        isNotHttp: true,
      },
    );
  }
  const [when, reached] =
    phase === 'answer'
      ? (['in the middle of its answer', { reached: 'headers' }] as const)
      : (['before it answered', {}] as const);
  return callError(call, 'reset', `the connection broke ${when} (${code})`, {
    cause: error,
    ...reached,
    isStale: phase === 'idle',
  });
}

/** The interim answer (RFC 9110, 15.2) for which undici breaks a connection; it ignores others. */
function interimOf({ message }: Error, code: string): string | undefined {
  if (code !== 'UND_ERR_SOCKET') return undefined;
  if (message === 'bad response') return '100 (Continue)';
  return message === 'bad upgrade' ? '101 (Switching Protocols)' : undefined;
}
