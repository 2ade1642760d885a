/** A bound on how long something is waited for. */

/** @throws Error that says `what` was late. */
export function within<T>(limitMs: number, work: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`${what} took more than ${limitMs} ms`)),
    limitMs,
  );
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
