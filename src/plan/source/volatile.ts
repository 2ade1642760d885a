/** Clocks and sources of randomness: `compose` runs once, so that their values would never change. */
import type { Value } from './value.ts';

const volatile =
  /^(?:Date(?:\.now)?|performance\.now|Math\.random|crypto\.(?:webcrypto\.)?(?:random\w+|getRandomValues)|process\.(?:hrtime(?:\.bigint)?|uptime)|Temporal\.Now\.\w+)$/;

const modules: Readonly<Record<string, string>> = {
  crypto: 'crypto.',
  'node:crypto': 'crypto.',
  perf_hooks: '',
  'node:perf_hooks': '',
  process: 'process.',
  'node:process': 'process.',
};

/** Whether a call of it gives another value each time. */
export function isVolatile(callee: Value): boolean {
  return callee.kind === 'named' && volatile.test(fullName(callee.from, callee.path));
}

/** Where only a function is known, an import has no more than its name. */
const importedRandomness = /^random(?:UUID|UUIDv7|Bytes|Int)$/;

function fullName(from: string, path: readonly string[]): string {
  if (from === 'elsewhere') {
    const last = path.at(-1) ?? '';
    return importedRandomness.test(last) ? `crypto.${last}` : '';
  }
  const rest = path[0] === 'globalThis' || path[0] === 'default' ? path.slice(1) : path;
  const prefix = from === 'global' ? '' : modules[from];
  if (prefix === undefined) return '';
  // `import { performance }` and `import crypto` are the objects themselves.
  return rest[0] === prefix.slice(0, -1) ? rest.join('.') : prefix + rest.join('.');
}
