/** The report as text: for the terminal, and as the comment at the end of a file. */
import { oneLine, wrapped } from './comment.ts';
import type { Finding, Suggestion } from './report.ts';

/** A title and what stands below it; an entry may have a second line. */
export interface Section {
  readonly title: string;
  readonly entries: readonly (readonly string[])[];
}

/** Findings as lines: `#/paths/~1orders/get: …`. */
export function linesOf(findings: readonly Finding[]): readonly string[] {
  return findings.map(({ pointer, detail }) => oneLine(`${pointer}: ${detail}`));
}

/** The parts that could not be carried over, and the options left to the author, if there are any. */
export function sectionsOf(
  findings: readonly Finding[],
  suggestions: readonly Suggestion[],
): readonly Section[] {
  const left = suggestions.map(({ option, effect, operations }) => [
    option,
    oneLine(`${effect}: ${operations.join(', ')}`),
  ]);
  return [
    {
      title: 'Not carried over from the document:',
      entries: linesOf(findings).map((line) => [line]),
    },
    { title: 'Suggested, and left to you:', entries: left },
  ].filter(({ entries }) => entries.length > 0);
}

/** The lines of a comment, with an empty one before it; none without sections. */
export function commentOf(sections: readonly Section[]): readonly string[] {
  if (sections.length === 0) return [];
  const texts = sections.map(({ title, entries }) => [
    ` * ${title}`,
    ...entries.flatMap(([first = '', ...more]) => [
      ...(more.length > 0 ? [` * - ${first}`] : wrapped(first, ' * - ', ' *   ')),
      ...more.flatMap((line) => wrapped(line, ' *   ')),
    ]),
  ]);
  const [first = [], ...others] = texts;
  return ['', '/*', ...first, ...others.flatMap((lines) => [' *', ...lines]), ' */'];
}
