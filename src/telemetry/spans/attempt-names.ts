/** The names of attempts, by which Jaeger's Monitor groups them. */
import type { Operation } from '../../dsl/operation.ts';

export interface AttemptNames {
  /** Takes note of the operations of a gateway, before it serves. */
  learn(operations: readonly Operation[]): void;
  of(operation: Operation): string;
}

/**
 * Method and template, as the semantic conventions say. Where two services have an operation of the
 * same method and template, each name carries its service, as in `GET /health (orders)`.
 */
export function createAttemptNames(): AttemptNames {
  /** By method and template, the service that has them; `several` if another one does, too. */
  const services = new Map<string, string>();
  const names = new WeakMap<Operation, string>();
  return {
    learn(operations) {
      for (const operation of operations) {
        const name = shortName(operation);
        const own = operation.service.name;
        services.set(name, (services.get(name) ?? own) === own ? own : several);
      }
      for (const operation of operations) names.set(operation, nameOf(operation));
    },
    of: (operation) => names.get(operation) ?? shortName(operation),
  };

  function nameOf(operation: Operation): string {
    const name = shortName(operation);
    return services.get(name) === several ? `${name} (${operation.service.name})` : name;
  }
}

/** No name of a service. */
const several = '';

function shortName({ route }: Operation): string {
  return `${route.method} ${route.template}`;
}
