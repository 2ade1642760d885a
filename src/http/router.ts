/** The router of both sides: Hono's trie, whose speed does not depend on the number of routes. */
import type { Router } from 'hono/router';
import { TrieRouter } from 'hono/router/trie-router';

/**
 * Hono's trie, made safe from prototype pollution. It looks methods up in plain objects: for a
 * request whose method is `__proto__` it would take `Object.prototype` for a route and write to it.
 * Node's parser refuses such methods, but `app.fetch` can be called without it.
 */
export function createRouter<T>(): Router<T> {
  const trie = new TrieRouter<T>();
  return {
    name: 'SafeTrieRouter',
    add: (method, path, handler) => trie.add(method, path, handler),
    match: (method, path) => trie.match(method in Object.prototype ? 'ALL' : method, path),
  };
}
