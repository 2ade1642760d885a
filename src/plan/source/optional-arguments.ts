/**
 * Which arguments a helper may lack, as its types say: it may ask whether they were given. Types are
 * not in the syntax tree, but in the text, each character at its place.
 */
import type { FunctionNode, SourceText } from './parse.ts';

/** The parameters, and the names in destructured ones, whose types allow for absence. */
export function optionalParameters(node: FunctionNode, source: SourceText): string[] {
  const { typed } = source;
  if (typed === undefined) return [];
  return node.params.flatMap((param) => {
    if (param.type === 'Identifier')
      return allowsAbsence(annotationAt(typed, param.end)) ? [param.name] : [];
    if (param.type !== 'ObjectPattern') return [];
    return param.properties
      .flatMap((part) =>
        part.type === 'Property' && part.key.type === 'Identifier' ? [part.key.name] : [],
      )
      .filter((name) => isOptionalField(name, source));
  });
}

/** Whether a type in the file declares an optional field of that name. */
export function isOptionalField(name: string, { typed }: SourceText): boolean {
  const declaration = new RegExp(`(?<![\\w$])${RegExp.escape(name)}\\?\\s*:`);
  return typed !== undefined && declaration.test(typed);
}

/** `?: Ref<Order>`, `: Ref<Order> | null`, `: false | Ref<Order>`; without what is in brackets. */
function allowsAbsence(annotation: string): boolean {
  return /^\s*\?|[:|]\s*(?:undefined|null|false)\b/.test(annotation);
}

/** The annotation that begins at `start`, without what is in brackets. */
function annotationAt(typed: string, start: number): string {
  let depth = 0;
  let annotation = '';
  for (let at = start; at < typed.length; at += 1) {
    const char = typed.charAt(at);
    const isArrow = char === '>' && typed.charAt(at - 1) === '=';
    if ('([{<'.includes(char)) depth += 1;
    else if (depth === 0 && ',)='.includes(char)) break;
    else if (')]}>'.includes(char) && !isArrow) depth -= 1;
    else if (depth === 0) annotation += char;
  }
  return annotation;
}
