/** `ignoredBody`: the response of an operation whose body does not matter. */
import { z } from 'zod';

/**
 * The response of an operation whose body is not read, whether it is text, empty or broken. A 2xx
 * is a success, and its value is `null`.
 *
 * @example
 * const cancel = operation(orders, { route: 'POST /orders/:id/cancel', response: ignoredBody });
 */
export const ignoredBody = z.null();
