/** The front door, `plait`: the words of composition files. */
export { defineComposition } from './dsl/composition.ts';
export type { Composition, ResponseOf } from './dsl/composition.ts';
export { answer } from './dsl/answer.ts';
export type { Answered } from './dsl/answered.ts';
export { clientCredentials } from './dsl/client-credentials.ts';
export { apiKey, basic, bearer } from './dsl/credentials.ts';
export type { Auth } from './dsl/credentials.ts';
export { ignoredBody } from './dsl/ignored-body.ts';
export { lookup } from './dsl/declare-lookup.ts';
export { operation } from './dsl/declare-operation.ts';
export type { StepFailure } from './dsl/guards.ts';
export type { Operation } from './dsl/operation.ts';
export type { Ref, Reference, Resolved, Wired } from './dsl/reference.ts';
export { defineService } from './dsl/service.ts';
export type { Service } from './dsl/service.ts';
export type { Source } from './dsl/source.ts';
export { fallback, optional } from './dsl/guards.ts';
export { after, call, each, given, map, omit, pick } from './dsl/steps.ts';
