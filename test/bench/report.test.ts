import { describe, expect, it } from 'vitest';
import { checkReport, parseReport } from '../../bench/load/report.ts';

const fromWrk = `Running 3s test @ http://127.0.0.1:40123
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    47.59ms   72.26ms 481.52ms   89.80%
    Req/Sec     2.33k     1.03k    3.60k    60.00%
  2318 requests in 1.00s, 1.40MB read
Requests/sec:   2311.79
Transfer/sec:      1.40MB
{"requests":2318,"failures":0,"seconds":1.002685,"p50Ms":22.322000,"p99Ms":370.732000}
`;

describe('the report of a load generator', () => {
  it('is its last line, after whatever else it says', () => {
    expect(parseReport(fromWrk)).toEqual({
      requests: 2318,
      failures: 0,
      seconds: 1.002685,
      p50Ms: 22.322,
      p99Ms: 370.732,
    });
  });

  it('is missed with what was said instead', () => {
    expect(() => parseReport('unable to connect to 127.0.0.1:1 Connection refused\n')).toThrow(
      'no report. It said: unable to connect',
    );
    expect(() => parseReport('')).toThrow('It said: nothing');
  });

  it('is refused when a request failed or none was answered', () => {
    const report = parseReport(fromWrk);
    expect(() => checkReport(report)).not.toThrow();
    expect(() => checkReport({ ...report, failures: 3 })).toThrow('3 failures, 2318 requests');
    expect(() => checkReport({ ...report, requests: 0 })).toThrow('No request was answered');
  });
});
