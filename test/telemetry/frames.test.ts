import { describe, expect, it } from 'vitest';
import { ownFrames, ownStack } from '../../src/telemetry/frames.ts';

const lines = [
  'TypeError: a message',
  '    at node: is how this one goes on',
  '    at work (file:///app/compositions/a.ts:1:2)',
  '    at JSON.parse (<anonymous>)',
  '    at process.processTicksAndRejections (node:internal/process/task_queues:103:5)',
  '    at async node:internal/modules/run_main:1:1',
  '    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1637:16)',
  '    at file:///app/src/engine/compute.ts:3:4',
];

describe('frames of a stack', () => {
  it('are those that are not of Node', () => {
    expect(ownFrames(lines.slice(2))).toEqual([
      'at work (file:///app/compositions/a.ts:1:2)',
      'at JSON.parse (<anonymous>)',
      'at file:///app/src/engine/compute.ts:3:4',
    ]);
  });

  it('are left out of a stack, which keeps its message', () => {
    expect(ownStack([lines[0], ...lines.slice(2)].join('\n')).split('\n')).toEqual([
      lines[0],
      lines[2],
      lines[3],
      lines[7],
    ]);
  });
});
