/** The second front door, `plait/server`: a gateway for programs of your own. */
export { createGateway } from './gateway.ts';
export type { Gateway, GatewayStatus } from './gateway.ts';
export type { GatewayOptions } from './gateway-options.ts';
export { listen } from './listen.ts';
export type { CloseOptions, Listening, ListenOptions } from './listen.ts';
export { loadCompositions } from './load-compositions.ts';
export type { Loaded } from './load-compositions.ts';
export { openParts } from './parts.ts';
export type { Parts } from './parts.ts';
export { compileAll } from './plan/compile.ts';
export type { NamedComposition } from './plan/compile.ts';
export type { Plan } from './plan/plan.ts';
export { servicesOf } from './plan/visit.ts';
export { parseSettings } from './settings/settings.ts';
export type { Settings } from './settings/settings.ts';
