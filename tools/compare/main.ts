/**
 * Sends the same random requests to two running gateways, over bare sockets, and lists where their
 * answers differ in status, headers or body.
 *
 *   node tools/compare/main.ts http://127.0.0.1:8080 http://127.0.0.1:9080 --requests 1000 --seed 1
 *
 * With `--ignore-wording` the titles and details of problems may differ, and so may their lengths.
 * Both should be over mocks of their own that were just started. It ends with code 1 when there is a
 * difference.
 */
import { connect } from 'node:net';
import { parseArgs } from 'node:util';
import { randomFrom, randomRequest } from './requests.ts';
import type { RandomRequest } from './requests.ts';

interface Answer {
  readonly status: string;
  /** By name, in lower case; those that are there twice are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Difference {
  readonly request: RandomRequest;
  /** As in `status 400 → 404`. */
  readonly parts: readonly string[];
}

const patienceMs = 5_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    requests: { type: 'string' },
    seed: { type: 'string' },
    'ignore-wording': { type: 'boolean', default: false },
  },
});
const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/g;
const wording = /"(title|detail)":"(?:[^"\\]|\\.)*"/g;

/** One request at a time: answers that depend on what else is under way would differ by chance. */
async function compare(
  urls: readonly [string, string],
  count: number,
  seed: number,
): Promise<Difference[]> {
  const random = randomFrom(seed);
  const found: Difference[] = [];
  for (let index = 0; index < count; index += 1) {
    const request = randomRequest(random, index);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const answers = await Promise.all(urls.map((url) => askUntilAnswered(url, request.bytes)));
    const [one, other] = answers as [Answer, Answer]; // one for each URL
    const parts = differingParts(worded(one), worded(other));
    if (parts.length > 0) found.push({ request, parts });
  }
  return found;
}

/** A refusal is lost when it comes with a reset, which large requests meet with by chance: asks again. */
async function askUntilAnswered(url: string, bytes: Buffer, tries = 4): Promise<Answer> {
  const answer = await ask(url, bytes);
  return answer.status === '' && tries > 1 ? askUntilAnswered(url, bytes, tries - 1) : answer;
}

/** The bytes that a gateway sends before it closes the connection, or before patience ends. */
function ask(url: string, bytes: Buffer): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: hostname, port: Number(port), timeout: patienceMs });
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('timeout', () => socket.destroy());
    // It may be closed while a large body is still being written.
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))));
  });
}

function parse(received: string): Answer {
  const text = received.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, '');
  const end = text.indexOf('\r\n\r\n');
  const [status = '', ...lines] = text.slice(0, Math.max(0, end)).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value;
  }
  return { status, headers, body: withoutChance(text.slice(end + 4)) };
}

/** The answer without the words of a problem, where they may differ. */
function worded(answer: Answer): Answer {
  const isProblem = answer.headers['content-type'] === 'application/problem+json';
  if (!values['ignore-wording'] || !isProblem) return answer;
  const { 'content-length': _, ...headers } = answer.headers;
  return { ...answer, headers, body: answer.body.replaceAll(wording, '"$1":"…"') };
}

function withoutChance(text: string): string {
  return text.replaceAll(uuid, '<uuid>').replaceAll(/^date: .*$/gim, 'date: <now>');
}

function differingParts(one: Answer, other: Answer): string[] {
  const names = new Set([...Object.keys(one.headers), ...Object.keys(other.headers)]);
  const headers = [...names]
    .filter((name) => name !== 'date')
    .map((name) => [name, shown(one.headers[name]), shown(other.headers[name])] as const)
    .filter(([, first, second]) => first !== second)
    .map(([name, first, second]) => `${name} ${first} → ${second}`);
  return [
    ...(one.status === other.status ? [] : [`status ${one.status} → ${other.status}`]),
    ...headers,
    ...(one.body === other.body ? [] : [`body ${shown(one.body)} → ${shown(other.body)}`]),
  ];
}

function shown(text = '(none)'): string {
  const plain = withoutChance(text);
  return plain.length > 300 ? `${plain.slice(0, 300)}… (${plain.length})` : plain;
}

function report(found: readonly Difference[], count: number): void {
  for (const { request, parts } of found) {
    const head = request.head.replaceAll('\r\n', ' | ').slice(0, 300);
    console.log([head, ...parts.map((part) => `    ${part}`)].join('\n'));
  }
  console.log(`${count} requests, ${found.length} with different answers`);
}

const [before, after] = positionals;
if (before === undefined || after === undefined) {
  console.error('Name two gateways: node tools/compare/main.ts <url> <url>');
  process.exit(2);
}
const requests = Number(values.requests ?? 1_000);
const differences = await compare([before, after], requests, Number(values.seed ?? 1));
report(differences, requests);
process.exitCode = differences.length === 0 ? 0 : 1;
