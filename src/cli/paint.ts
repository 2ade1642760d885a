/** Colours what a view marks as wrong, where its reader is a terminal that shows colours. */
import { styleText } from 'node:util';

type Colour = 'red' | 'yellow' | 'green';

/** Marks at the beginning of a line are about the whole of it: rows of `plait upstreams`. */
const lines: Readonly<Record<string, Colour>> = { '✗': 'red', '!': 'yellow' };

/** Notes end at two spaces. */
const notes: readonly (readonly [RegExp, Colour])[] = [
  [/✗.*?(?= {2}|$)/g, 'red'],
  [/(?<= {2})(?:slow:|degraded|called off).*?(?= {2}|$)/g, 'yellow'],
  [/^✓/g, 'green'],
];

/** Leaves a text without marks as it is, and every text if there are no colours (`NO_COLOR`). */
export function paint(text: string): string {
  return text.split('\n').map(paintLine).join('\n');
}

function paintLine(line: string): string {
  const ofLine = lines[line.charAt(0)];
  if (ofLine !== undefined) return inColour(ofLine, line);
  // The bar of a span that failed is found first, at a glance.
  const withBar = line.includes('✗') ? replace(line, /█+/g, 'red') : line;
  return notes.reduce((painted, [pattern, colour]) => replace(painted, pattern, colour), withBar);
}

function replace(text: string, pattern: RegExp, colour: Colour): string {
  return text.replace(pattern, (found) => inColour(colour, found));
}

function inColour(colour: Colour, text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}
