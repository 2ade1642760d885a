/** A table of routes. A look-up takes as long among a thousand of them as among ten. */

export interface Match<T> {
  readonly value: T;
  /** What stands for the parameters in the path, decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export interface Router<T> {
  /** Of two routes that are the same the first stays. `path` begins with a slash; segments that begin with a colon are parameters: `/orders/:orderId`. */
  add(method: string, path: string, value: T): void;
  /** The route for a request's path, as it was sent, without its query. Text is preferred to parameters. */
  find(method: string, path: string): Match<T> | undefined;
  /** The methods for which there is something at `path`. */
  methodsAt(path: string): readonly string[];
}

/** What may follow after some segments. */
interface Branch<T> {
  readonly texts: Map<string, Branch<T>>;
  param: Branch<T> | undefined;
  route: Route<T> | undefined;
}

interface Route<T> {
  readonly value: T;
  /** Which segment is which parameter. */
  readonly params: readonly (readonly [name: string, segment: number])[];
}

export function createRouter<T>(): Router<T> {
  const roots = new Map<string, Branch<T>>();

  function find(method: string, path: string): Match<T> | undefined {
    const root = roots.get(method);
    if (root === undefined) return undefined;
    const segments = segmentsOf(path);
    const route = follow(root, segments, 0);
    if (route === undefined) return undefined;
    const params = Object.fromEntries(
      route.params.map(([name, segment]) => [name, segments[segment] ?? '']),
    );
    return { value: route.value, params };
  }

  return {
    add(method, path, value) {
      const root = roots.get(method) ?? newBranch<T>();
      roots.set(method, root);
      const segments = path.split('/').slice(1);
      const params = segments.flatMap((segment, index) =>
        segment.startsWith(':') ? [[segment.slice(1), index] as const] : [],
      );
      const end = segments.reduce(branchAt, root);
      end.route ??= { value, params };
    },
    find,
    methodsAt: (path) => [...roots.keys()].filter((method) => find(method, path) !== undefined),
  };
}

function newBranch<T>(): Branch<T> {
  return { texts: new Map(), param: undefined, route: undefined };
}

function branchAt<T>(branch: Branch<T>, segment: string): Branch<T> {
  if (segment.startsWith(':')) return (branch.param ??= newBranch());
  const next = branch.texts.get(segment) ?? newBranch();
  branch.texts.set(segment, next);
  return next;
}

function follow<T>(
  branch: Branch<T>,
  segments: readonly string[],
  depth: number,
): Route<T> | undefined {
  const segment = segments[depth];
  if (segment === undefined) return branch.route;
  const text = branch.texts.get(segment);
  const found = text && follow(text, segments, depth + 1);
  if (found !== undefined || branch.param === undefined || segment === '') return found;
  return follow(branch.param, segments, depth + 1);
}

/** Taken apart before it is decoded: an encoded slash is part of its segment (RFC 3986, 2.2). */
function segmentsOf(path: string): string[] {
  const segments = path.slice(1).split('/');
  return path.includes('%') ? segments.map(decoded) : segments;
}

/** What cannot be decoded is left as it is, for whoever answers to refuse. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
