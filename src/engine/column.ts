/** Columns: the values of a step for all items of a frame. */
import { Failure } from './frame.ts';
import type { Blocked, Column, Frame } from './frame.ts';

/** Computes a column. Reading can throw: a schema may have made values with getters that do. */
export function columnOf(
  frame: Frame,
  blocked: Blocked,
  compute: (item: number) => unknown,
): Column {
  const column = Array<unknown>(frame.width);
  for (let item = 0; item < column.length; item += 1) {
    try {
      column[item] = blocked?.[item] ?? compute(item);
    } catch (error) {
      column[item] = new Failure(error);
    }
  }
  return column;
}

export function firstFailure(column: Column): Failure | undefined {
  for (let item = 0; item < column.length; item += 1) {
    const value = column[item];
    if (value instanceof Failure) return value;
  }
  return undefined;
}
