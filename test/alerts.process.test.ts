import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
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

  it.skipIf(isPromtoolSkipped)('is found from prometheus.yml where compose.yaml puts it', () => {
    const cwd = mkdtempSync(join(tmpdir(), 'plait-prometheus-'));
    onTestFinished(() => rmSync(cwd, { recursive: true }));
    copyFileSync(join(folder, '../../prometheus.yml'), join(cwd, 'prometheus.yml'));
    copyFileSync(join(folder, 'alerts.yml'), join(cwd, 'alerts.yml'));
    const { code, said } = promtool(['check', 'config', 'prometheus.yml'], { cwd });
    expect([code, said]).toEqual([0, expect.stringContaining('1 rule files found')]);
  });
});
