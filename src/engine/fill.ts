/** Reads sources and fills templates for one item of a frame. */
import type { Source, Template } from '../dsl/node.ts';
import { frameOf, itemIn, stepOf } from './frame.ts';
import type { Column, Frame } from './frame.ts';

/** The value of a source for an item. Fields of `null` are `null`, of `undefined` `undefined`. */
export function read(frame: Frame, { node, path }: Source, item: number): unknown {
  const step = stepOf(frame, node);
  const holder = frameOf(frame, step);
  const column = holder.values[step.slot];
  // The column is complete: steps begin once their needs are met.
  let value = (column as Column)[holder === frame ? item : itemIn(frame, holder, item)];
  for (let index = 0; index < path.length; index += 1) {
    const key = path[index] ?? '';
    if (value === null || value === undefined) return value;
    // Any object can be read by name.
    value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

/** Fills a template for an item. Fields keep the order in which they are declared. */
export function assemble(frame: Frame, template: Template, item: number): unknown {
  switch (template.kind) {
    case 'literal':
      return template.value;
    case 'reference':
      return read(frame, template.source, item);
    case 'array':
      return template.items.map((part) => assemble(frame, part, item));
    case 'object': {
      const object: Record<string, unknown> = {};
      const { entries } = template;
      for (let index = 0; index < entries.length; index += 1) {
        const entry = entries[index];
        if (entry !== undefined) object[entry[0]] = assemble(frame, entry[1], item);
      }
      return object;
    }
    default:
      return template satisfies never;
  }
}
