/** Where services and operations were defined, for messages about two that cannot both exist. */
import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file and a line, as a message names them. */
export interface DefinedAt {
  readonly file: string;
  readonly line: string;
}

const places = new WeakMap<object, DefinedAt>();

/** Notes that the file which is running, the nearest one that is not Plait's, defines it. */
export function noteDefinition<T extends object>(definition: T): T {
  const own = import.meta.dirname + sep;
  for (const frame of (new Error().stack ?? '').split('\n').slice(1)) {
    const [, target = '', line = ''] = /([^\s(]+):(\d+):\d+\)?$/.exec(frame) ?? [];
    const path = target.startsWith('file:') ? fileURLToPath(target) : target;
    if (path === '' || path.startsWith(own) || path.startsWith('node:')) continue;
    places.set(definition, { file: relative(process.cwd(), path), line });
    break;
  }
  return definition;
}

export function definedAt(definition: object): DefinedAt | undefined {
  return places.get(definition);
}
