import { describe, expect, it } from 'vitest';
import { byHand, careful, gateway, service } from '../../bench/programs.ts';
import { toResult } from '../../bench/result.ts';
import type { Row } from '../../bench/row.ts';
import { toMarkdown, toReadme, toText } from '../../bench/table.ts';

const underLoad = { cpuMicros: 0, rssMiB: 0, calls: 3, p50Ms: 12.345, p99Ms: 99.96 };

/** A round in which the subject and the others had these values. */
function round(...values: readonly number[]) {
  return values.map((value) => ({ value, underLoad }));
}

const summary: Row = {
  name: 'summary',
  about: 'Three calls.',
  programs: [gateway(), byHand],
  load: { kind: 'full', measures: 'cpuMicros', requests: [] },
};

const memory: Row = {
  ...summary,
  name: 'memory',
  load: { kind: 'start', measures: 'rssMiB' },
};

describe('the result of a row', () => {
  it('is the median of the ratios of the rounds, not the ratio of the medians', () => {
    const rounds = [round(200, 100), round(300, 300), round(400, 100)];
    const { subject, others } = toResult(summary, rounds);
    expect([subject.value, others[0]?.value]).toEqual([300, 100]);
    expect(others[0]?.comparison).toEqual({
      of: 'ratio',
      median: 2,
      lower: 1.5,
      upper: 3,
      least: 1,
      most: 4,
    });
  });

  it('is a difference where latencies are compared', () => {
    const load = { kind: 'half', requests: [] } as const;
    const row: Row = { ...summary, programs: [gateway(), service], load };
    const { others } = toResult(row, [round(3, 2), round(2, 2)]);
    expect(others[0]?.comparison).toMatchObject({
      of: 'difference',
      median: 0.5,
      least: 0,
      most: 1,
    });
  });

  it('compares the subject with every other program', () => {
    const row: Row = { ...summary, programs: [gateway(), byHand, careful] };
    const { others } = toResult(row, [round(300, 100, 200)]);
    expect(others.map(({ program, comparison }) => [program, comparison.median])).toEqual([
      ['by hand', 3],
      ['careful hand', 1.5],
    ]);
  });

  it.each([
    ['ratio', 2, true],
    ['ratio', 1.9, false],
    ['subject', 200, true],
    ['subject', 199, false],
    ['difference', 100, true],
    ['difference', 99, false],
  ] as const)('says whether a %s of at most %d is met: %s', (of, atMost, isMet) => {
    const target = of === 'subject' ? { of, atMost } : { of, to: 'by hand', atMost };
    const { subject, others } = toResult({ ...summary, targets: [target] }, [round(200, 100)]);
    const judged = [...subject.targets, ...others.flatMap(({ targets }) => targets)];
    expect(judged).toEqual([{ ...target, isMet }]);
  });

  it('leaves out targets of programs that were not measured', () => {
    const target = { of: 'ratio', to: 'before', atMost: 1.1 } as const;
    const { subject, others } = toResult({ ...summary, targets: [target] }, [round(200, 100)]);
    expect([subject.targets, others[0]?.targets]).toEqual([[], []]);
  });
});

describe('the table', () => {
  const target = { of: 'ratio', to: 'by hand', atMost: 1.5 } as const;
  const results = [
    toResult({ ...summary, targets: [target] }, [round(200, 100)]),
    toResult(memory, [[{ value: 90.04 }, { value: 60 }]]),
  ];

  it('has a line for each program of a row, with what was measured of it', () => {
    expect(toMarkdown(results).split('\n')).toEqual([
      '| row | measured | program | value | subject to it | quartiles | calls/request | p50 ms | p99 ms | target |',
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
      '| summary | CPU µs/request | plait | 200 |  |  | 3.00 | 12.3 | 100.0 |  |',
      '|  |  | by hand | 100 | 2.00× | 2.00 … 2.00 | 3.00 | 12.3 | 100.0 | ≤ 1.5×: missed |',
      '| memory | MiB resident | plait | 90.0 |  |  |  |  |  |  |',
      '|  |  | by hand | 60.0 | 1.50× | 1.50 … 1.50 |  |  |  |  |',
    ]);
  });

  it('has its columns one below the other in a terminal', () => {
    const lines = toText(results).split('\n');
    expect(lines).toHaveLength(5);
    expect(new Set(lines.map((line) => line.search(/program|plait|by hand/))).size).toBe(1);
  });

  it('has for the README only what a request costs, beside the programs one would pick instead', () => {
    expect(toReadme(results).split('\n')).toEqual([
      '| CPU time per request | Plait | by hand |',
      '| --- | --- | --- |',
      '| Three calls. | 200 µs | 2.00× of 100 µs |',
    ]);
  });
});
