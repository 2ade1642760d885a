import { describe, expect, it } from 'vitest';
import { gateway, handWritten, service } from '../../bench/programs.ts';
import { toResult } from '../../bench/result.ts';
import type { Row } from '../../bench/row.ts';
import { toMarkdown, toText } from '../../bench/table.ts';

const underLoad = { cpuMicros: 0, calls: 3, p50Ms: 12.345, p99Ms: 99.96 };

/** A round in which subject and baseline had these values. */
function round(subject: number, baseline: number) {
  return {
    subject: { value: subject, underLoad },
    baseline: { value: baseline, underLoad },
  };
}

const summary: Row = {
  name: 'summary',
  subject: gateway(),
  baseline: handWritten,
  load: { kind: 'full', requests: [] },
};

describe('the result of a row', () => {
  it('is the median of the ratios of the rounds, not the ratio of the medians', () => {
    const rounds = [round(200, 100), round(300, 300), round(400, 100)];
    const { subject, baseline, comparison } = toResult(summary, rounds);
    expect([subject.value, baseline.value]).toEqual([300, 100]);
    expect(comparison).toEqual({ of: 'ratio', median: 2, least: 1, most: 4 });
  });

  it('is a difference where latencies are compared', () => {
    const load = { kind: 'half', requests: [] } as const;
    const row = { ...summary, baseline: service, load };
    expect(toResult(row, [round(3, 2), round(2, 2)]).comparison).toEqual({
      of: 'difference',
      median: 0.5,
      least: 0,
      most: 1,
    });
  });

  it.each([
    ['ratio', 2, true],
    ['ratio', 1.9, false],
    ['subject', 200, true],
    ['subject', 199, false],
    ['difference', 100, true],
    ['difference', 99, false],
  ] as const)('says whether a %s of at most %d is met: %s', (of, atMost, isMet) => {
    const result = toResult({ ...summary, target: { of, atMost } }, [round(200, 100)]);
    expect(result.target).toEqual({ of, atMost, isMet });
  });
});

describe('the table', () => {
  const results = [
    toResult({ ...summary, target: { of: 'ratio', atMost: 1.5 } }, [round(200, 100)]),
    toResult({ ...summary, name: 'memory', load: { kind: 'start', measures: 'rssMiB' } }, [
      { subject: { value: 90.04 }, baseline: { value: 60 } },
    ]),
  ];

  it('has a line for each row, with what was measured of both programs', () => {
    expect(toMarkdown(results).split('\n')).toEqual([
      '| row | measured | subject | baseline | compared | min … max | calls/request | p50 ms | p99 ms | target |',
      '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
      '| summary | CPU µs/request | 200 (plait) | 100 (by hand) | 2.00× | 2.00 … 2.00 | 3.00 / 3.00 | 12.3 / 12.3 | 100.0 / 100.0 | ratio ≤ 1.5: missed |',
      '| memory | MiB resident | 90.0 (plait) | 60.0 (by hand) | 1.50× | 1.50 … 1.50 |  |  |  |  |',
    ]);
  });

  it('has its columns one below the other in a terminal', () => {
    const lines = toText(results).split('\n');
    expect(lines).toHaveLength(3);
    expect(new Set(lines.map((line) => line.search(/measured|CPU|MiB/))).size).toBe(1);
  });
});
