/** A composition after checking: frozen data, all that is needed to serve its requests. */
import type { z } from 'zod';
import type { ResponseCache } from '../dsl/cache.ts';
import type { Node, Template } from '../dsl/node.ts';
import type { Route } from '../dsl/route.ts';

export interface Plan {
  /** The file's name without ending: `order-summary`. */
  readonly name: string;
  readonly summary: string | undefined;
  readonly route: Route;
  readonly deadlineMs: number;
  readonly degraded: 'allow' | 'fail';
  /** What caches may keep of the response; absent: nothing. */
  readonly cache: ResponseCache | undefined;
  readonly schemas: Schemas;
  /** Every step by its number; those of inner blocks too. */
  readonly steps: readonly Step[];
  readonly root: PlanBlock;
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
  readonly steps: readonly Step[];
  readonly template: Template;
  /** The steps the template refers to, and those nobody refers to, which were written for their effect. */
  readonly waits: readonly number[];
}

/** A JSON Pointer with holes: a number is the depth of the frame whose index goes there. */
export type Place = readonly (string | number)[];
