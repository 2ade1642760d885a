/**
 * A profile as a picture: callers above the functions they call, as wide as the time they took. SVG
 * without scripts, and without fonts of its own.
 */
import { basename } from 'node:path';
import { anonymous, byOwner } from './cpu-profile.ts';
import type { Frame } from './cpu-profile.ts';
import { coloursOf } from './owner-colours.ts';

export interface Captions {
  readonly title: string;
  readonly facts: string;
}

const [width, margin] = [1_000, 12];
const graphWidth = width - 2 * margin;
/** The baseline of its first line. */
const [legendTop, legendLine, legendColumns] = [72, 18, 4];
const rowHeight = 17;
/** Of all time. Narrower frames are not drawn, nor named in the legend. */
const leastShare = 0.003;
const mostLevels = 40;
/** The width of a letter of a monospaced font of this size, with some to spare: fonts differ. */
const [fontSize, letterWidth] = [11, 6.7];
/** Fewer letters say nothing. */
const fewestLetters = 3;
const [ink, faint, line] = ['#1f2328', '#656d76', '#d8dee4'];

export function drawFlameGraph(tree: Frame, { title, facts }: Captions): string {
  const owners = byOwner(tree)
    .map(({ owner, micros }) => ({ owner, share: micros / tree.totalMicros }))
    .filter(({ share }) => share >= leastShare);
  const top = legendTop + Math.ceil(owners.length / legendColumns) * legendLine;
  const boxes = layOut(tree, top);
  const colours = coloursOf(boxes.map(({ frame }) => frame.owner));
  const height = Math.max(...boxes.map(({ y }) => y)) + rowHeight + margin;
  const layers = [...Map.groupBy(boxes, ({ frame }) => frame.owner)].map(
    ([owner, owned]) =>
      `<g fill="${colours.get(owner)}">\n${owned.map((box) => drawBox(box, tree)).join('\n')}\n</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" fill="${ink}"
  font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${fontSize}">
<title>${escape(title)}</title>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6" fill="#fff" stroke="${line}"/>
<text x="${margin}" y="28" font-size="17" font-weight="600">${escape(title)}</text>
<text x="${margin}" y="48" fill="${faint}">${escape(facts)}</text>
${owners.map((entry, index) => drawLegend({ ...entry, index, colour: colours.get(entry.owner) })).join('\n')}
<g stroke="#fff" stroke-width="0.5">
${layers.join('\n')}
</g>
<g pointer-events="none">
${boxes.flatMap(drawLabel).join('\n')}
</g>
</svg>
`;
}

interface Box {
  readonly frame: Frame;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Children stand side by side below their parent, from its left edge. */
function layOut(tree: Frame, top: number): readonly Box[] {
  const perMicro = graphWidth / tree.totalMicros;
  const boxes: Box[] = [];
  const place = (frame: Frame, x: number, level: number): void => {
    const boxWidth = frame.totalMicros * perMicro;
    if (boxWidth < leastShare * graphWidth || level >= mostLevels) return;
    boxes.push({ frame, x, y: top + level * rowHeight, width: boxWidth });
    let left = x;
    for (const child of frame.children) {
      place(child, left, level + 1);
      left += child.totalMicros * perMicro;
    }
  };
  place(tree, margin, 0);
  return boxes;
}

function drawBox({ frame, x, y, width: boxWidth }: Box, { totalMicros }: Frame): string {
  const percent = ((frame.totalMicros / totalMicros) * 100).toFixed(1);
  const words = [frame.name, frame.place, frame.owner, `${percent} %`].filter(Boolean).join(' · ');
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${boxWidth.toFixed(1)}" height="${rowHeight}"><title>${escape(words)}</title></rect>`;
}

function drawLabel({ frame, x, y, width: boxWidth }: Box): string[] {
  const room = Math.floor((boxWidth - 6) / letterWidth);
  if (room < fewestLetters) return [];
  return [`<text x="${(x + 3).toFixed(1)}" y="${y + 12.5}">${escape(labelOf(frame, room))}</text>`];
}

/**
 * The place is shown whole or not at all; the name may be cut. A function without one goes by its
 * file.
 */
function labelOf({ name, place }: Frame, room: number): string {
  const whole = `${name} ${place}`.trimEnd();
  if (whole.length <= room) return whole;
  const short = name === anonymous && place !== '' ? basename(place) : name;
  return short.length <= room ? short : `${short.slice(0, room - 1)}…`;
}

interface LegendEntry {
  readonly owner: string;
  readonly share: number;
  readonly index: number;
  readonly colour: string | undefined;
}

function drawLegend({ owner, share, index, colour }: LegendEntry): string {
  const x = margin + (index % legendColumns) * (graphWidth / legendColumns);
  const y = legendTop + Math.floor(index / legendColumns) * legendLine;
  return `<rect x="${x.toFixed(1)}" y="${y - 10}" width="12" height="12" fill="${colour ?? faint}"/>
<text x="${(x + 17).toFixed(1)}" y="${y}">${escape(owner)} ${(share * 100).toFixed(1)} %</text>`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
