/** Calls listeners of an end, the last one first. */

/** Absent where nothing has begun. */
type Listener<Event> = ((event: Event) => void) | undefined;

/**
 * Calls listeners, the last one first, and all of them even if one throws: a permit that is not
 * returned would be missing for good.
 */
export function callInReverse<Event>(
  listeners: readonly Listener<Event>[],
  event: Event,
  count = listeners.length,
): void {
  let index = count - 1;
  try {
    for (; index >= 0; index -= 1) listeners[index]?.(event);
  } finally {
    // Only after one that has thrown.
    if (index > 0) callInReverse(listeners, event, index);
  }
}
