/** `queryStyle`: how lists, objects and spaces are written into a query. */
import { CompositionError } from '../errors.ts';
import { refuseUnknownKnobs } from './knobs.ts';
import { shownValue } from '../shown-value.ts';

export interface QueryStyle {
  /** `a=1&a=2`, `a=1,2` or `a[]=1&a[]=2`. Default `'repeat'`. */
  readonly arrays?: 'repeat' | 'comma' | 'brackets';
  /** `filter[status]=x` or `filter.status=x`, up to five levels. Default: objects are refused. */
  readonly objects?: 'brackets' | 'dots';
  /** Default `'+'`, as in forms. */
  readonly spaces?: '+' | '%20';
}

/** A style with its defaults filled in. */
export interface WrittenStyle {
  readonly arrays: 'repeat' | 'comma' | 'brackets';
  readonly objects: 'brackets' | 'dots' | undefined;
  readonly spaces: '+' | '%20';
}

/** The deepest nesting of an object: `a[1][2][3][4][5]=x`. */
export const mostLevels = 5;

const choices = {
  arrays: ['repeat', 'comma', 'brackets'],
  objects: ['brackets', 'dots'],
  spaces: ['+', '%20'],
} satisfies { [Knob in keyof QueryStyle]: readonly QueryStyle[Knob][] };

/** @throws CompositionError for an option that is unknown, or has another value. */
export function checkedQueryStyle(style: QueryStyle, place: string): QueryStyle {
  refuseUnknownKnobs(style, Object.keys(choices), place, 'queryStyle');
  for (const [knob, known] of Object.entries(choices)) {
    const value: unknown = style[knob as keyof QueryStyle]; // the keys of `choices`
    if (value === undefined || known.some((word) => word === value)) continue;
    const advice = `Use ${listed(known)}.`;
    throw new CompositionError(place, `queryStyle.${knob} is ${shownValue(value)}. ${advice}`);
  }
  return Object.freeze({ ...style });
}

/** `"a", "b" or "c"` */
function listed(words: readonly string[]): string {
  const quoted = words.map((word) => JSON.stringify(word));
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

/** The style of an operation: what it does not say is as its service says. */
export function queryStyleOf(
  own: QueryStyle | undefined,
  service: { readonly queryStyle: QueryStyle },
  place: string,
): QueryStyle {
  return own === undefined
    ? service.queryStyle
    : { ...service.queryStyle, ...checkedQueryStyle(own, place) };
}

/** `undefined` for the default, in which most queries are written. */
export function writtenStyle(style: QueryStyle): WrittenStyle | undefined {
  const { arrays = 'repeat', objects, spaces = '+' } = style;
  return arrays === 'repeat' && objects === undefined && spaces === '+'
    ? undefined
    : { arrays, objects, spaces };
}

/** The characters that a style puts around or between names, so that no name may have them. */
export function reservedIn({ arrays, objects }: QueryStyle | WrittenStyle): readonly string[] {
  const brackets = arrays === 'brackets' || objects === 'brackets' ? ['[', ']'] : [];
  return objects === 'dots' ? [...brackets, '.'] : brackets;
}

/** As `explain` draws it: `a[]=1`, `a.b=1`. */
export function shownQueryStyle({ arrays, objects, spaces }: WrittenStyle): readonly string[] {
  return [
    ...(arrays === 'repeat' ? [] : [arrays === 'comma' ? 'a=1,2' : 'a[]=1']),
    ...(objects === undefined ? [] : [objects === 'dots' ? 'a.b=1' : 'a[b]=1']),
    ...(spaces === '+' ? [] : ['spaces as %20']),
  ];
}
