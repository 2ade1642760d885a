/** Where V8 says a function comes from → its owner, and a short name of its file. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = pathToFileURL(join(import.meta.dirname, '..', '..', '/')).href;
const packages = 'node_modules/';

/** V8's names for time outside of any function. */
const outside = new Set(['(garbage collector)', '(program)', '(idle)']);

/** The first that matches. */
const partsOfNode: readonly (readonly [owner: string, file: RegExp])[] = [
  ['node http', /^node:(internal\/)?_?http/],
  ['node fetch', /^node:internal\/deps\/undici\b/],
  ['node net/stream', /^node:(internal\/)?(net|streams?|stream_\w+|webstreams|dns|tls)\b/],
  ['node timers', /^node:(internal\/)?timers\b/],
  ['node microtasks', /^node:internal\/process\/(task_queues|promises)\b/],
  ['node other', /^node:/],
];

/**
 * A folder of `src`, a package, or a part of Node. Functions without a file are native or
 * generated: they work for `caller`, the owner of the function that calls them, and so are counted
 * as its own.
 */
export function ownerOf(functionName: string, url: string, caller: string): string {
  if (url === '' && outside.has(functionName)) return functionName;
  const file = fileOf(url);
  if (file === '') return caller;
  if (url.startsWith('node:')) return partOfNode(file);
  if (url.includes(packages)) return packageOf(file);
  return folderOf(file);
}

/**
 * From the root of the project, or beginning with the name of a package; nothing of what is no
 * file.
 */
export function fileOf(url: string): string {
  if (url.startsWith('node:')) return url;
  if (!url.startsWith('file:')) return '';
  const inPackages = url.lastIndexOf(packages);
  if (inPackages >= 0) return url.slice(inPackages + packages.length);
  return url.startsWith(root) ? url.slice(root.length) : url;
}

function partOfNode(file: string): string {
  return partsOfNode.find(([, pattern]) => pattern.test(file))?.[0] ?? 'node other';
}

/** The many packages of OpenTelemetry are one. */
function packageOf(file: string): string {
  const [scope = '', name = ''] = file.split('/');
  return scope.startsWith('@') && scope !== '@opentelemetry' ? `${scope}/${name}` : scope;
}

function folderOf(file: string): string {
  if (/(^|\/)compositions\//.test(file)) return 'compositions';
  const [first = '', second = ''] = file.split('/');
  if (first !== 'src') return first === 'bench' || first === 'tools' ? 'bench' : 'other';
  return second.includes('.') ? 'src' : `src/${second}`;
}
