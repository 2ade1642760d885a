import { describe, expect, it } from 'vitest';
import { fileOf, ownerOf } from '../../tools/profile/owner.ts';
import { inProject } from './_profile.ts';

describe('the owner of a function', () => {
  it.each([
    ['src/upstream/key.ts', 'src/upstream'],
    ['src/json.ts', 'src'],
    ['bench/compositions/order.ts', 'compositions'],
    ['compositions/order-summary.ts', 'compositions'],
    ['bench/process/usage.ts', 'bench'],
    ['node_modules/undici/lib/core/tree.js', 'undici'],
    ['node_modules/@hono/node-server/dist/index.mjs', '@hono/node-server'],
    ['node_modules/@opentelemetry/api/build/index.js', '@opentelemetry'],
    ['node_modules/p-limit/node_modules/yocto-queue/index.js', 'yocto-queue'],
  ])('of %s is %s', (file, owner) => {
    expect(ownerOf('f', inProject(file), 'caller')).toBe(owner);
  });

  it.each([
    ['node:_http_server', 'node http'],
    ['node:http', 'node http'],
    ['node:internal/http', 'node http'],
    ['node:net', 'node net/stream'],
    ['node:internal/streams/duplex', 'node net/stream'],
    ['node:internal/stream_base_commons', 'node net/stream'],
    ['node:internal/timers', 'node timers'],
    ['node:internal/process/task_queues', 'node microtasks'],
    ['node:internal/deps/undici/undici', 'node fetch'],
    ['node:events', 'node other'],
  ])('of %s is %s', (url, owner) => {
    expect(ownerOf('f', url, 'caller')).toBe(owner);
  });

  it('is whoever calls it when it has no file: it is native, or generated', () => {
    expect(ownerOf('writev', '', 'node net/stream')).toBe('node net/stream');
    expect(ownerOf('wasm-function[20]', 'wasm://wasm/00034eea', 'undici')).toBe('undici');
  });

  it('is nobody outside of functions', () => {
    expect(ownerOf('(garbage collector)', '', 'caller')).toBe('(garbage collector)');
    expect(ownerOf('(program)', '', 'caller')).toBe('(program)');
  });

  it('of a composition in a folder elsewhere is the same as of any other', () => {
    expect(ownerOf('f', 'file:///tmp/a/compositions/order.ts', 'caller')).toBe('compositions');
  });
});

describe('the file of a function', () => {
  it('is named from the root of the project, or from its package', () => {
    expect(fileOf(inProject('src/json.ts'))).toBe('src/json.ts');
    expect(fileOf(inProject('node_modules/undici/index.js'))).toBe('undici/index.js');
    expect(fileOf('node:events')).toBe('node:events');
  });
});
