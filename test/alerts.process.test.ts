import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isPromtoolSkipped, promtool } from './support/promtool.ts';

const folder = join(import.meta.dirname, '../deploy/prometheus');

describe('deploy/prometheus/alerts.yml', () => {
  it.skipIf(isPromtoolSkipped)('is what Prometheus takes', () => {
    const { code, said } = promtool(['check', 'rules', 'alerts.yml'], { cwd: folder });
    expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
  });

  it.skipIf(isPromtoolSkipped)(
    'fires each alert when it should, and none for a gateway that is well',
    () => {
      const { code, said } = promtool(['test', 'rules', 'alerts.test.yml'], { cwd: folder });
      expect([code, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
    },
  );
});
