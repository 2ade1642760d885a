/** Answers over HTTP/1.1: which are the last of their connection. */
import { ServerResponse } from 'node:http';
import { withAdded } from './added-headers.ts';

export interface Http1ResponseOptions {
  readonly isDraining: () => boolean;
  readonly onInternalError: (error: unknown) => void;
}

/** Node's response, which also ends its connection while the server drains. */
export function http1ResponseClass(options: Http1ResponseOptions): typeof ServerResponse {
  const { isDraining, onInternalError } = options;

  class GatewayResponse extends ServerResponse {
    override writeHead(...head: unknown[]): this {
      // Checked this late since a connection kept alive would hold up the stop, and since the rest
      // of an unread body is no request.
      if (isDraining() || !this.req.complete) this.shouldKeepAlive = false;
      try {
        // Passed on as given, in any of its forms.
        return super.writeHead(
          ...(withAdded(this, head) as Parameters<ServerResponse['writeHead']>),
        );
      } catch (error) {
        // The adapter would send the error's message to the client.
        onInternalError(error);
        return this.destroy();
      }
    }
  }
  return GatewayResponse as typeof ServerResponse; // Node constructs both sides of an exchange
}
