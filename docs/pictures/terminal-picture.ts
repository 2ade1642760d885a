/** What a terminal shows, as a picture: commands, and their output in its colours. */
import { escape, faint, frame, green, ink, red, yellow } from './svg.ts';

export interface Shown {
  readonly command: string;
  /** With the escape codes of colours, if it has some. */
  readonly output: string;
}

/** Of a character; the text is set to it, whatever font there is. */
const [charWidth, lineHeight] = [7.2, 18];
const [left, top] = [16, 14];
/** Longer lines go on in the next one, indented. */
const [mostColumns, indent] = [156, 4];

/** The escape codes that `plait` writes. */
const colours: Readonly<Record<string, string>> = { 31: red, 32: green, 33: yellow, 39: ink };

/** `title`: for those who cannot see it. */
export function drawTerminal(title: string, shown: readonly Shown[]): string {
  const lines = shown.flatMap(({ command, output }, index) => [
    ...(index === 0 ? [] : [[]]),
    [
      { text: '$ ', column: 0, colour: faint },
      { text: command, column: 2, colour: ink, isBold: true },
    ],
    ...output.trimEnd().split(/\r?\n/).map(partsOf).flatMap(wrap),
  ]);
  const columns = Math.max(...lines.flat().map(({ text, column }) => column + text.length));
  const width = Math.ceil(columns * charWidth) + 2 * left;
  const height = lines.length * lineHeight + 2 * top;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" fill="${ink}"
  font-family="ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="12"
  xml:space="preserve">
<title>${escape(title)}</title>
${frame(width, height)}
${lines.map((parts, index) => parts.map((part) => draw(part, index)).join('')).join('\n')}
</svg>
`;
}

/** What the pictures of two runs have in common: their words, not ids, times, numbers and bars. */
export function shapeOf(picture: string): string[] {
  return picture
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\b[\da-f]{32}\b|(?<=trace )[\da-f]{4}\b/g, 'id')
    .replaceAll(/\d[\d.:,]*/g, '0')
    .split(/\s+/);
}

/** A piece of a line that stands at a column of its own. */
interface Part {
  readonly text: string;
  readonly column: number;
  readonly colour: string;
  readonly isBold?: boolean;
}

/** Splits a line at colours, at wide spaces and around bars, so that columns stay where they are. */
function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  let [column, colour] = [0, ink];
  // oxlint-disable-next-line no-control-regex -- ESC begins the code of a colour
  for (const [found, code] of text.matchAll(/\u001b\[(\d+)m| {2,}|█+|(?: ?[^ █\u001b])+| /g)) {
    if (code === undefined) {
      if (found.trim() !== '') parts.push({ text: found, column, colour });
      column += found.length;
    } else colour = colours[code] ?? ink;
  }
  return parts;
}

/** Between words, unlike a terminal, so that no id is torn apart. */
function wrap(parts: readonly Part[]): Part[][] {
  const lines: Part[][] = [[]];
  let shift = 0;
  for (const part of parts) {
    let { text, column } = part;
    const put = (length: number): void => {
      lines.at(-1)?.push({ ...part, text: text.slice(0, length), column: column - shift });
      [text, column] = [text.slice(length).trimStart(), column + length];
    };
    while (column - shift + text.length > mostColumns) {
      const end = text.lastIndexOf(' ', mostColumns - column + shift);
      if (end > 0) put(end);
      else if (column - shift <= indent) break;
      lines.push([]);
      shift = column - indent;
    }
    put(text.length);
  }
  return lines;
}

function draw({ text, column, colour, isBold = false }: Part, index: number): string {
  const x = (left + column * charWidth).toFixed(1);
  const y = top + index * lineHeight;
  const length = (text.length * charWidth).toFixed(1);
  const fill = colour === ink ? '' : ` fill="${colour}"`;
  if (text.startsWith('█'))
    return `<rect x="${x}" y="${y + 3}" width="${length}" height="12"${fill || ' fill="#829ae3"'}/>`;
  return `<text x="${x}" y="${y + 13}" textLength="${length}"${fill}${isBold ? ' font-weight="600"' : ''}>${escape(text)}</text>`;
}
