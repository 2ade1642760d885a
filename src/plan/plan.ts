/** A composition after checking: frozen data, all that is needed to serve its requests. */
import type { z } from 'zod';
import type { Node, Template } from '../dsl/node.ts';
import type { Route } from '../dsl/route.ts';

export interface Plan {
  /** The file's name without ending: `order-summary`. */
  readonly name: string;
  readonly summary: string | undefined;
  readonly route: Route;
  readonly deadlineMs: number;
  readonly degraded: 'allow' | 'fail';
  /** What caches may keep of the response at most; absent: nothing. */
  readonly cache: PlanCache | undefined;
  /** Whether a service is told who asks, or the response computed from it: then it is that client's alone. */
  readonly identityBearing: boolean;
  /** The client's headers the response may depend on, sorted. */
  readonly vary: readonly string[];
  readonly schemas: Schemas;
  /** Every step by its number; those of inner blocks too. */
  readonly steps: readonly Step[];
  readonly root: PlanBlock;
}

/** The declared cache in effect. Times in seconds. */
export interface PlanCache {
  readonly visibility: 'public' | 'private';
  readonly maxAge: number;
  /** For shared caches, where it differs. */
  readonly sMaxAge: number | undefined;
  readonly staleWhileRevalidate: number;
}

/** What the parts of a request, and the response, must be. Absent: there is no such part. */
export interface Schemas {
  readonly params: z.ZodType | undefined;
  readonly query: z.ZodType | undefined;
  readonly body: z.ZodType | undefined;
  readonly headers: z.ZodType | undefined;
  readonly response: z.ZodType | undefined;
}

/** A node with what follows from the others. */
export interface Step {
  readonly id: number;
  /** Names it in traces, problems and `explain`; made of characters of an HTTP token (RFC 9110, 5.6.2). */
  readonly name: string;
  readonly node: Node;
  /** The steps it waits for. */
  readonly needs: readonly number[];
  /** How many blocks it is inside of: the frame that holds its value. */
  readonly depth: number;
  /** Its place in that frame. */
  readonly slot: number;
  /** What absorbs its failure, if anything does. */
  readonly tolerated: 'optional' | 'fallback' | undefined;
  /** What `given` or `each` runs. */
  readonly block: PlanBlock | undefined;
  /** Where its value lands in the response; known for guards, which have to say what is missing. */
  readonly places: readonly Place[];
}

/** Steps that run together, and what they fill. */
export interface PlanBlock {
  readonly depth: number;
  /** Whether an `each` around it runs it for every item. */
  readonly repeated: boolean;
  readonly steps: readonly Step[];
  readonly template: Template;
  /** The steps the template refers to, and those nobody refers to, which were written for their effect. */
  readonly waits: readonly number[];
  /** The guards, `given`s and `each`s its value comes from: what is missing in them is missing in it. */
  readonly gaps: readonly number[];
}

/** A JSON Pointer with holes: a number is the depth of the frame whose index goes there. */
export type Place = readonly (string | number)[];
