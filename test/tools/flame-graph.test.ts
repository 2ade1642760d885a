import { describe, expect, it } from 'vitest';
import { toTree } from '../../tools/profile/cpu-profile.ts';
import { drawFlameGraph } from '../../tools/profile/flame-graph.ts';
import { coloursOf } from '../../tools/profile/owner-colours.ts';
import { inProject, profileOf } from './_profile.ts';
import type { Sample } from './_profile.ts';

const handle = `handle ${inProject('src/http/app.ts')}`;

function draw(...samples: readonly Sample[]) {
  return drawFlameGraph(toTree(profileOf(...samples)), { title: 'a row', facts: 'a machine' });
}

/** Of the boxes that have this in their titles. */
function boxes(svg: string, title: string) {
  const all = svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)".*?<title>(.*?)</g);
  return [...all]
    .filter((match) => match[4]?.includes(title))
    .map((match) => ({ x: Number(match[1]), y: Number(match[2]), width: Number(match[3]) }));
}

describe('the flame graph', () => {
  it('is as wide for a function as its share of the time, below its caller', () => {
    const svg = draw([75, handle, 'write node:net'], [25, handle]);
    const [caller] = boxes(svg, 'handle');
    const [callee] = boxes(svg, 'write');
    expect(callee?.width).toBeCloseTo((caller?.width ?? 0) * 0.75);
    expect(callee).toMatchObject({ x: caller?.x, y: (caller?.y ?? 0) + 17 });
  });

  it('says what it is of, and whose the functions are', () => {
    const svg = draw([75, handle], [25, '(garbage collector)']);
    expect(svg).toContain('>a row<');
    expect(svg).toContain('>a machine<');
    expect(svg).toContain('>src/http 75.0 %<');
    expect(svg).toContain('<title>handle · src/http/app.ts:10 · src/http · 75.0 %</title>');
  });

  it('leaves out what is too narrow to see', () => {
    const svg = draw([998, handle], [2, 'write node:net']);
    expect(boxes(svg, 'write')).toEqual([]);
    expect(svg).not.toContain('node net/stream');
  });

  it('ends after 40 levels', () => {
    const deep = Array.from({ length: 100 }, (_, level) => `level-${level} node:net`);
    expect(boxes(draw([1, ...deep]), 'level-')).toHaveLength(39);
  });

  it('clips labels to their boxes', () => {
    const long = `${'long'.repeat(10)} node:net`;
    const svg = draw([100, long], [900, handle]);
    expect(svg).toContain('>longlonglong…<');
    expect(draw([10, long], [990, handle])).not.toMatch(/<text [^>]*>long/);
  });

  it('names a function without a name by its file', () => {
    const svg = draw([150, ` ${inProject('src/upstream/deduplicate.ts')}`], [850, handle]);
    expect(svg).toContain('>deduplicate.ts:10<');
  });

  it('takes names as text', () => {
    expect(draw([1, '</svg>& node:net'])).toContain('&lt;/svg>&amp;');
  });
});

describe('the colours of owners', () => {
  it('do not depend on what each of them costs', () => {
    const owners = ['undici', 'src/http', 'node http'];
    expect(coloursOf(owners)).toEqual(coloursOf(owners.toReversed()));
  });

  it('differ among the layers', () => {
    const layers = ['compositions', 'src', 'src/edge', 'src/engine', 'src/http', 'src/upstream'];
    expect(new Set(coloursOf(layers).values()).size).toBe(layers.length);
  });
});
