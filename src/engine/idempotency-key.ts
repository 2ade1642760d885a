/** A key for each write, derived from the client's `Idempotency-Key`: the same for the same request. */
import { hash } from 'node:crypto';
import { operationName } from '../dsl/operation.ts';
import { credentialHeaders } from '../headers.ts';
import type { CallStep } from '../plan/plan.ts';
import { indexPath } from './frame.ts';
import type { Frame } from './frame.ts';

const name = 'idempotency-key';

/**
 * The header of a write whose operation derives its key; none if the client has sent no key. The key
 * differs between clients, by their credentials, between operations and steps, and between the items
 * of an `each`; a retry of the gateway and a repetition of the client have the same.
 */
export function idempotencyHeaders(
  frame: Frame,
  { operation, name: step }: CallStep,
  item: number,
): Readonly<Record<string, string>> | undefined {
  if (operation.idempotencyKey !== 'derived') return undefined;
  const { request } = frame.execution;
  const given = request.header(name);
  if (given === undefined) return undefined;
  const credentials = [...credentialHeaders].map((header) => request.header(header) ?? null);
  const parts = [given, credentials, operationName(operation), step, indexPath(frame, item)];
  return { [name]: hash('sha256', JSON.stringify(parts), 'base64url') };
}
