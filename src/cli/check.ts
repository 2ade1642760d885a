/** `plait check`: lists the compositions, or every load-time error at once; warns on stderr. */
import type { Authenticator } from '../dsl/authenticators.ts';
import type { Service } from '../dsl/service.ts';
import { ConfigurationError, LoadError } from '../errors.ts';
import { writesOf } from '../explain/draw-tree.ts';
import { parallelWrites } from '../explain/parallel-writes.ts';
import { loadCompositions } from '../load-compositions.ts';
import { servicesOf } from '../plan/visit.ts';
import { addressProblem } from '../settings/addresses.ts';
import { parseSettings } from '../settings/settings.ts';
import { plainTextWarnings } from '../settings/sources.ts';

/**
 * @throws LoadError when any composition does not load.
 * @throws ConfigurationError when a service's address is in a variable that is set, but wrong; with
 *   `env`, when anything in the environment is wrong or missing.
 */
export async function check({ folder, env }: { folder: string; env: boolean }): Promise<void> {
  const { plans, errors, warnings, definition } = await loadCompositions(folder);
  for (const warning of warnings) console.error(`Warning: ${warning}`);
  const services = servicesOf(plans);
  const problem = env
    ? environmentProblem(services, definition.authenticators)
    : addressProblem(services.filter(isAddressed), process.env);
  if (errors.length > 0) {
    // Both at once, so that nobody mends the one only to be told of the other.
    if (problem !== undefined) console.error(problem);
    throw new LoadError(errors);
  }
  if (problem !== undefined) throw new ConfigurationError(problem);
  for (const plan of plans) {
    console.log(`${plan.route.text}  (${plan.name})`);
    const writes = parallelWrites(plan);
    if (writes.length > 0) console.log(`  ${writesOf(writes)} (after() puts one behind the other)`);
  }
  console.log(`${plans.length} composition${plans.length === 1 ? '' : 's'}, no errors`);
}

/** The problems that a start would have with the environment, as it is here. */
function environmentProblem(
  services: readonly Service[],
  authenticators: readonly Authenticator[],
): string | undefined {
  try {
    const settings = parseSettings(process.env, services, authenticators);
    const warnings = plainTextWarnings(services, settings, authenticators);
    for (const warning of warnings) console.error(`Warning: ${warning}`);
    return undefined;
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message;
    throw error;
  }
}

/** Variables that are not set are no problem here: they belong to where the gateway will run. */
function isAddressed({ url }: Service): boolean {
  return typeof url === 'string' || (process.env[url.env] ?? '').trim() !== '';
}
