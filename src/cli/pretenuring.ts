/** Turns off V8's pretenuring, which allocates objects of requests in the old generation. */
import { setFlagsFromString } from 'node:v8';

/**
 * Turns pretenuring off: from its first collections, V8 guesses which kinds of objects live long,
 * and from then on allocates them in the old generation. Under load it guesses wrong, since the
 * first young generations are small and full of requests under way. Objects in the old generation
 * are collected rarely and keep everything they refer to alive. The heap grows threefold between
 * two full collections, which costs 5 to 20 % of the CPU time. This happens at some starts only. A
 * gateway makes no long-lived objects for requests.
 */
export function turnOffPretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
