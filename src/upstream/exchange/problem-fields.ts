/**
 * Reads what a service says is wrong with a request, of which the operation has declared that it is
 * for the client. Nothing else of the body is kept.
 */
import { readPath } from '../../dsl/path.ts';
import type { Path } from '../../dsl/path.ts';
import type { ProblemRule } from '../../dsl/problem-rule.ts';
import type { UpstreamField } from '../../errors.ts';
import type { Call } from '../call.ts';

/** Larger bodies are not looked at. */
export const maxProblemBytes = 65_536;

const most = { fields: 50, characters: 200, names: 20 };

/** Whether an answer of this status may say what is wrong with the request. */
export function hasProblem({ operation }: Pick<Call, 'operation'>, status: number): boolean {
  return operation.problem !== undefined && (status === 400 || status === 422);
}

/** `isSecret`: whether a text repeats a credential of ours, as some services do in their answers. */
export function fieldsIn(
  rule: ProblemRule,
  body: unknown,
  isSecret: (text: string) => boolean = () => false,
): readonly UpstreamField[] {
  const list = readPath(body, rule.errors);
  if (!Array.isArray(list)) return [];
  return list.slice(0, most.fields).flatMap((entry: unknown) => {
    const said = readPath(entry, rule.detail);
    if (typeof said === 'string' && isSecret(said)) return [];
    const detail = lineOf(said);
    return detail === undefined ? [] : [{ path: placeIn(entry, rule.pointer), detail }];
  });
}

/** Control characters, and those that change the direction of text around them. */
const unshown = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** A text of one line that is not too long; `undefined` if there is nothing to say. */
function lineOf(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.toWellFormed().replace(unshown, ' ').trim();
  const line = Array.from(text.slice(0, most.characters * 2))
    .slice(0, most.characters)
    .join('');
  return line === '' ? undefined : line.toWellFormed();
}

function placeIn(entry: unknown, path: Path | undefined): readonly string[] | undefined {
  const names = path && namesOf(readPath(entry, path));
  const isUsable = names?.every((name) => lineOf(name) === name) === true;
  return isUsable && names.length <= most.names ? names : undefined;
}

/** `/a/0`, `#/a/0`, `a.0`, `a[0]`, `$.a[0]` or `['a', 0]`; the place may be the whole: `''`. */
function namesOf(place: unknown): readonly string[] | undefined {
  if (Array.isArray(place))
    return place.every((name) => typeof name === 'string' || Number.isSafeInteger(name))
      ? place.map(String)
      : undefined;
  if (typeof place !== 'string') return undefined;
  if (/^#?(?:\/|$)/.test(place)) return pointerNames(place);
  return place
    .replace(/^\$\.?/, '')
    .replaceAll(/\[(?:'([^']*)'|"([^"]*)"|(\d+))\]/g, '.$1$2$3')
    .replace(/^\./, '')
    .split('.');
}

/** The names of a JSON Pointer (RFC 6901), also as the fragment of a URI. */
function pointerNames(pointer: string): readonly string[] | undefined {
  const text = pointer.startsWith('#') ? decoded(pointer.slice(1)) : pointer;
  return text
    ?.split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
