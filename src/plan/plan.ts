/** A plan: a checked composition as frozen data, with all that is needed to serve its requests. */
import type { z } from 'zod';
import type { Authenticator } from '../dsl/authenticators.ts';
import type { Shaped, UnknownQuery } from '../dsl/composition.ts';
import type {
  CallNode,
  EachNode,
  GivenNode,
  GuardNode,
  InsteadNode,
  InputName,
  InputNode,
  ItemNode,
  MapNode,
  ShapeNode,
  Template,
} from '../dsl/node.ts';
import type { TimedKind } from '../dsl/node-traits.ts';
import type { RouteRateLimit } from '../dsl/rate-limit.ts';
import type { Route } from '../dsl/route.ts';

export interface Plan {
  /** The file's path in the folder without its ending: `orders/summary`. */
  readonly name: string;
  readonly summary: string | undefined;
  readonly route: Route;
  /** The clients that may ask; absent: everybody. */
  readonly auth: PlanAuth | undefined;
  /** Whether it says itself that everybody may ask: `auth: 'none'`. */
  readonly isPublic: boolean;
  readonly deadlineMs: number;
  readonly degraded: 'allow' | 'fail';
  /** How often it may be asked for; absent: any number of times. */
  readonly rateLimit: PlanRateLimit | undefined;
  /** The most that caches may keep of the response; absent: nothing. */
  readonly cache: PlanCache | undefined;
  /** Whether the response may depend on who the client is, so that no other client may get it. */
  readonly identityBearing: boolean;
  /** The client headers that the response may depend on, sorted. */
  readonly vary: readonly string[];
  readonly schemas: Schemas;
  /** The cookies that tell who the client is. */
  readonly credentials: readonly string[];
  readonly unknownQuery: QueryRule;
  /** The status and headers of the response; absent: 200, and those of the gateway. */
  readonly answer: PlanAnswer | undefined;
  /** All steps by number, those of inner blocks included. */
  readonly steps: readonly Step[];
  readonly root: PlanBlock;
}

/** The declared rate limit, with what a request costs in numbers. */
export interface PlanRateLimit extends Required<RouteRateLimit> {
  readonly cost: number;
}

/** How clients prove who they are, and what they need besides. */
export interface PlanAuth {
  /** One of them suffices. */
  readonly authenticators: readonly Authenticator[];
  readonly scopes: PlanDemand | undefined;
  readonly roles: PlanDemand | undefined;
}

/** Names of which a client needs any, or all. */
export interface PlanDemand {
  readonly mode: 'any' | 'all';
  readonly names: readonly string[];
}

/** The declared cache as it takes effect. Times in seconds. */
export interface PlanCache {
  readonly visibility: 'public' | 'private';
  readonly maxAge: number;
  /** The same for shared caches, where it differs. */
  readonly sMaxAge: number | undefined;
  readonly staleWhileRevalidate: number;
}

/** The status and headers that the composition gives. */
export interface PlanAnswer {
  readonly status: Template;
  readonly headers: readonly PlanHeader[];
}

export interface PlanHeader {
  readonly name: string;
  readonly value: Template;
  /** The part of the client's request that it is, if it is nothing else. */
  readonly input: RequestPart | undefined;
}

/**
 * The fate of query parameters that `query` does not name: `take` has its schema decide, and
 * `undefined` leaves it to the gateway.
 */
export type QueryRule = UnknownQuery | 'take' | undefined;

/** The schemas of the parts of a request and of the response. */
export interface Schemas {
  readonly params: z.ZodType | undefined;
  readonly query: (z.ZodType & Shaped) | undefined;
  readonly body: z.ZodType | undefined;
  readonly headers: (z.ZodType & Shaped) | undefined;
  readonly cookies: (z.ZodType & Shaped) | undefined;
  /** Of what `identity` is. */
  readonly identity: z.ZodType | undefined;
  readonly response: z.ZodType | undefined;
}

/** A node with the facts that follow from the nodes around it. */
export type Step =
  | InputStep
  | ItemStep
  | CallStep
  | MapStep
  | ShapeStep
  | GuardStep
  | InsteadStep
  | GivenStep
  | EachStep;

/** A step that ends later than it begins. */
export type TimedStep = Extract<Step, { kind: TimedKind }>;

interface StepFacts {
  readonly id: number;
  /** Names it in traces, problems and `explain`: characters of an HTTP token (RFC 9110, 5.6.2). */
  readonly name: string;
  /** The steps whose values it needs before it can begin. */
  readonly needs: readonly number[];
  /** How many blocks it is inside of: the frame that holds its value. */
  readonly depth: number;
  /** Its index in that frame. */
  readonly slot: number;
  /** The guard that tolerates its failure, if one does. */
  readonly tolerated: 'optional' | 'fallback' | undefined;
  /** Whether it may be left out under overload: a guard tolerates it, and nothing in it writes. */
  readonly mayBeShed: boolean;
  /** How long it may take in milliseconds, by the guard that tolerates it; absent: any time. */
  readonly limitMs: number | undefined;
  /** Whether its failure ends its block. */
  readonly dooms: Dooms;
}

/**
 * Whether the failure of a step makes its block fail. `always`: it does. `untolerated`: it does if
 * guards tolerate nothing, that is with `degraded: 'fail'` or when the client has disconnected.
 * `perhaps`: only inner blocks read it, which may have no item to run for, or nothing reads it.
 */
export type Dooms = 'always' | 'untolerated' | 'perhaps';

/** The arguments of a lookup. */
export interface LookupArguments {
  /** Of a compound key, the list of its parts. */
  readonly key: Template;
  /** All arguments but those of the key. */
  readonly others: Template;
  /** Whether the others may differ between the items of the `each` whose block the call is in. */
  readonly varies: boolean;
}

/** A part of the client's request. */
export interface RequestPart {
  readonly input: InputName;
  /** A number stands for the index in the list of the `each` whose block has this depth. */
  readonly path: readonly (string | number)[];
}

/** One that is an argument of a call, or part of one, unchanged. */
export interface ClientInput extends RequestPart {
  readonly argument: string;
  /** Where it is in the argument. */
  readonly at: readonly string[];
  /** The `pick`s and `omit`s that have shaped it. */
  readonly shapes: readonly Pick<ShapeNode, 'mode' | 'keys'>[];
  /** The schema of the part of the request that it is, or is in. */
  readonly schema: z.ZodType | undefined;
}

export interface InputStep extends StepFacts, InputNode {}

export interface ItemStep extends StepFacts, ItemNode {}

export interface CallStep extends StepFacts, CallNode {
  /** Present where the operation is a lookup. */
  readonly lookup: LookupArguments | undefined;
  /** The arguments that come straight from the client's request: with any, errors concern it. */
  readonly clientInputs: readonly ClientInput[];
  /** Whether an argument is made of a credential, so that keys have a hash of the arguments. */
  readonly conceals: boolean;
}

export interface MapStep extends StepFacts, MapNode {}

export interface ShapeStep extends StepFacts, ShapeNode {}

export interface GuardStep extends StepFacts, GuardNode {
  /** Where its value lands in the response: the parts that are missing if the step fails. */
  readonly paths: readonly ResponsePath[];
}

export interface InsteadStep extends StepFacts, Omit<InsteadNode, 'block'> {
  readonly block: PlanBlock;
  /** The name by which a response says that the step is missing. */
  readonly first: string;
  /** Where its value lands in the response. */
  readonly paths: readonly ResponsePath[];
}

export interface GivenStep extends StepFacts, Omit<GivenNode, 'block'> {
  readonly block: PlanBlock;
}

export interface EachStep extends StepFacts, Omit<EachNode, 'block'> {
  /** The part of the client's request that its list is. */
  readonly clientList: RequestPart | undefined;
  readonly block: PlanBlock;
}

/** Steps that run together, and the template they fill. */
export interface PlanBlock {
  readonly depth: number;
  /** Whether an `each` around it runs it for every item. */
  readonly repeated: boolean;
  /**
   * In the block of an `each`: whether every step runs for all items at once. False where an item's
   * next step would have to wait for the calls of other items; then each item runs by itself.
   */
  readonly together: boolean;
  readonly steps: readonly Step[];
  readonly template: Template;
  /**
   * The steps its template refers to, and those that nothing refers to: they run for their effect.
   */
  readonly needs: readonly number[];
  /** The steps whose missing parts make the block's value incomplete: guards, `given`s, `each`s. */
  readonly degradedBy: readonly number[];
}

/**
 * A path in the response, as a JSON Pointer with holes. A number stands for the list index of the
 * frame around the guard that has this depth.
 */
export type ResponsePath = readonly (string | number)[];
