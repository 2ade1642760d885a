/** The door to lru-cache: maps of bounded size, which drop the least recently used entries. */
export { LRUCache } from 'lru-cache';
