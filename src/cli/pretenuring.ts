/** Keeps V8 from allocating what requests hold in the generation of objects that live long. */
import { setFlagsFromString } from 'node:v8';

/**
 * Turns pretenuring off. V8 guesses from the first collections after a start which kinds of objects
 * live long, and from then on allocates those in the old generation. Under load it guesses wrong:
 * what is collected first is small, and full of requests under way. Such objects are collected only
 * now and then, and until then what they refer to is copied and kept, too: the heap grows threefold
 * between two full collections, and 5 to 20 % of the CPU time go into it. It does so at some starts
 * and not at others. Nothing that a gateway makes for a request lives long.
 */
export function turnOffPretenuring(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}
