/** Names the compositions of a folder that are not served, with their routes as far as known. */
import { gatewayFile } from './dsl/gateway.ts';
import { CompositionError, toError } from './errors.ts';
import type { SourceFile } from './composition-files.ts';
import type { CompiledAll, NamedComposition } from './plan/compile.ts';
import { routeIfAny, routeInSource } from './plan/not-served.ts';
import type { NotServed } from './plan/not-served.ts';

export interface LoadFailures {
  readonly compositions: readonly NamedComposition[];
  /** The files that cannot be imported, but not the modules that others import. */
  readonly rejected: readonly { readonly file: SourceFile; readonly error: unknown }[];
  /** The failures of `compositions`. */
  readonly failures: CompiledAll['failures'];
  /** Whether `gateway.ts` can be used: without it, nothing is served. */
  readonly isGatewayKnown: boolean;
  /** All errors; one that belongs to no composition is an entry of its own. */
  readonly errors: readonly Error[];
}

/** Errors have their places already: their messages are the reasons. */
export function notServedOf(loaded: LoadFailures): readonly NotServed[] {
  const { compositions, rejected, failures, isGatewayKnown, errors } = loaded;
  const ofFiles = rejected.map(({ file, error }) => {
    const name = file.path.replace(/\.\w+$/, '');
    return entry(name, routeInSource(file.text, name), toError(error).message);
  });
  const routeOf = (name: string) =>
    routeIfAny(compositions.find((one) => one.name === name)?.composition.config.route, name);
  const ofCompositions = isGatewayKnown
    ? failures.map(({ name, error }) => entry(name, routeOf(name), error.message))
    : compositions.map(({ name }) =>
        entry(name, routeOf(name), `${gatewayFile}.ts cannot be used, so nothing is served.`),
      );
  const known = [...ofFiles, ...ofCompositions];
  const told = new Set(known.map(({ reason }) => reason));
  const others = errors
    .filter(({ message }) => !told.has(message))
    .map((error) => entry(placeOf(error), undefined, error.message));
  return [...known, ...others].toSorted((a, b) => a.name.localeCompare(b.name));
}

function entry(name: string, route: NotServed['route'], reason: string): NotServed {
  return { name, ...(route && { route }), reason };
}

function placeOf(error: Error): string {
  return error instanceof CompositionError ? error.place : '';
}
