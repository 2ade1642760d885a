import { describe, expect, it } from 'vitest';
import { byFunction, byOwner, toTree } from '../../tools/profile/cpu-profile.ts';
import { toReport } from '../../tools/profile/report.ts';
import { inProject, profileOf } from './_profile.ts';

const handle = `handle ${inProject('src/http/app.ts')}`;
const parse = `parse ${inProject('src/json.ts')}`;
const write = 'write node:net';

describe('the tree of a profile', () => {
  it('has the time of a function with and without what it calls', () => {
    const tree = toTree(profileOf([30, handle], [50, handle, parse], [20, handle, write]));
    expect(tree).toMatchObject({ selfMicros: 0, totalMicros: 100 });
    expect(tree.children).toMatchObject([
      { name: 'handle', place: 'src/http/app.ts:10', selfMicros: 30, totalMicros: 100 },
    ]);
  });

  it('has the expensive callees first', () => {
    const [top] = toTree(profileOf([20, handle, write], [50, handle, parse])).children;
    expect(top?.children.map(({ name }) => name)).toEqual(['parse', 'write']);
  });

  it('leaves out the time in which there was nothing to do, and the profiler itself', () => {
    const profiler = ['emit node:events', 'post node:inspector'];
    const tree = toTree(profileOf([900, ...profiler], [900, '(idle)'], [100, handle]));
    expect(tree.totalMicros).toBe(100);
    expect(tree.children.map(({ name, totalMicros }) => [name, totalMicros])).toEqual([
      ['handle', 100],
      ['emit', 0],
    ]);
  });

  it('has one frame for a function that was compiled twice', () => {
    const profile = profileOf([30, handle], [20, handle, parse]);
    const twice = profileOf([30, handle], [20, handle, parse]).nodes.slice(1);
    const shifted = twice.map(({ children = [], ...node }) => {
      return { ...node, id: node.id + 10, children: children.map((id) => id + 10) };
    });
    const nodes = [...profile.nodes, ...shifted].map((node) =>
      node.id === 1 ? { ...node, children: [2, 12] } : node,
    );
    const samples = [2, 3, 12, 13, 1];
    const tree = toTree({ ...profile, nodes, samples, timeDeltas: [0, 30, 20, 5, 1] });
    expect(tree.children).toMatchObject([
      { selfMicros: 35, totalMicros: 56, children: [{ name: 'parse', selfMicros: 21 }] },
    ]);
  });

  it('is not made of nothing', () => {
    const empty = { nodes: [], startTime: 0, endTime: 0 };
    expect(() => toTree(empty)).toThrow('The profile is empty.');
  });
});

describe('the times of a profile', () => {
  const tree = toTree(
    profileOf(
      [30, handle],
      [10, handle, parse],
      [20, parse],
      [25, handle, write, 'writev'],
      [15, '(garbage collector)'],
    ),
  );

  it('are added up by owner, native functions with their callers', () => {
    expect(byOwner(tree)).toEqual([
      { owner: 'src/http', micros: 30 },
      { owner: 'src', micros: 30 },
      { owner: 'node net/stream', micros: 25 },
      { owner: '(garbage collector)', micros: 15 },
    ]);
  });

  it('are added up by function, from wherever it is called', () => {
    expect(byFunction(tree).map(({ name, micros }) => [name, micros])).toEqual([
      ['handle', 30],
      ['parse', 30],
      ['writev', 25],
    ]);
  });

  it('become two tables, the first with shares of what a request costs', () => {
    const lines = toReport(tree, 200).split('\n');
    expect(lines).toContain('| (garbage collector) | 15.0 | 30.0 |');
    expect(lines).toContain('| all | 100 | 200.0 |');
    expect(lines).toContain('| parse | src/json.ts:10 | 30.0 |');
    expect(lines).toContain('| writev | no file, for node net/stream | 25.0 |');
  });
});
