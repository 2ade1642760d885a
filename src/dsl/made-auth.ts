/** Tells credentials that a word of the DSL has made, and so checked, from objects like them. */

const made = new WeakSet<object>();

export function makeAuth<A extends object>(auth: A): A {
  made.add(auth);
  return Object.freeze(auth);
}

export function isMadeAuth(auth: object): boolean {
  return made.has(auth);
}
