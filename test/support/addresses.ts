/** The addresses of the services that plans call, from variables. */
import type { Plan } from '../../src/plan/plan.ts';
import { servicesOf } from '../../src/plan/visit.ts';
import { parseSettings } from '../../src/settings/settings.ts';
import type { Addresses } from '../../src/settings/addresses.ts';

export function addressesOf(
  plans: readonly Plan[],
  environment: Readonly<Record<string, string>> = {},
): Addresses {
  return parseSettings(environment, servicesOf(plans)).addresses;
}
