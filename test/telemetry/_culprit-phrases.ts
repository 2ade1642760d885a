/** Phrases of `docs/find-the-culprit.md` about whole traces, and what they claim. */
import type { SinkSpan } from '../support/otlp-sink.ts';
import type { Evidence } from './_evidence.ts';

type Trace = Evidence['traces'][number];

const isRed = ({ status }: SinkSpan): boolean => status.code === 'ERROR';

/** The kinds of spans that are red, each once. */
const redKinds = (trace: Trace): string[] => [
  ...new Set(trace.filter(isRed).map(({ kind }) => kind)),
];

/** By when they began. */
const attemptsIn = (trace: Trace): SinkSpan[] =>
  trace
    .filter(({ kind }) => kind === 'CLIENT')
    .toSorted((one, other) => Number(one.startTimeUnixNano - other.startTimeUnixNano));

/** Each with what has to be true of the last trace of a situation, which the others explain. */
const phrases: readonly (readonly [RegExp, (trace: Trace, all: readonly Trace[]) => boolean])[] = [
  [/\bone CLIENT span is as long as the request/, isOneAsLong],
  [/\btwo CLIENT spans\b/, (trace) => attemptsIn(trace).length === 2],
  [/\bat once\b/, (trace) => !areInTurn(attemptsIn(trace))],
  [/\bone after the other\b/, (trace) => areInTurn(attemptsIn(trace))],
  [/\b(?:without a|no) CLIENT span$/, (trace) => attemptsIn(trace).length === 0],
  [/\bmay outlive the step\b/, (trace) => attemptsIn(trace).some((span) => outlives(span, trace))],
  [/\bone port\b/, hasOneBrokenPort],
  [/\bone span\b/, (trace) => trace.length === 1],
  [/\bone span, which is red\b/, (trace) => trace.every(isRed)],
  [/\ball that is under way has\b/, (trace) => trace.every(isRed)],
  [/\bonly the CLIENT span is red\b/, (trace) => redKinds(trace).join() === 'CLIENT'],
  [/\bonly the request is red\b/, (trace) => redKinds(trace).join() === 'SERVER'],
  [/\bnothing is red\b/, (trace) => !trace.some(isRed)],
  [/\bthe step is red\b/, (trace) => redKinds(trace).includes('INTERNAL')],
  [/\bCLIENT, step and request are red\b/, (trace) => trace.length === 3 && trace.every(isRed)],
  [/\bends before the culprit\b/, doCancelledEndFirst],
  [/\ba link\b/, (trace) => trace.some(({ links }) => links.length > 0)],
  [/\bno link\b/, (trace) => !trace.some(({ links }) => links.length > 0)],
];

export function hasPhrase(cell: string): boolean {
  return phrases.some(([phrase]) => phrase.test(cell));
}

/** The phrases of a cell that are not true of each of its situations. */
export function untruePhrases(cell: string, seen: readonly Evidence[]): string[] {
  const parts = [cell, ...cell.split(/[;:,]/).map((part) => part.trim())];
  return phrases
    .filter(([phrase]) => parts.some((part) => phrase.test(part)))
    .filter(([, isTrueOf]) => !seen.every(({ traces }) => isTrueOf(traces.at(-1) ?? [], traces)))
    .map(([phrase]) => phrase.source);
}

function isOneAsLong(trace: Trace): boolean {
  const request = trace.find(({ kind }) => kind === 'SERVER');
  const longest = request === undefined ? 0 : durationOf(request);
  return attemptsIn(trace).some((span) => durationOf(span) > longest - 1);
}

/** In milliseconds. */
function durationOf(span: SinkSpan): number {
  return Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6;
}

function areInTurn(spans: readonly SinkSpan[]): boolean {
  return spans.every((span, index) => {
    const next = spans[index + 1];
    return next === undefined || next.startTimeUnixNano >= span.endTimeUnixNano;
  });
}

function outlives(span: SinkSpan, trace: Trace): boolean {
  const parent = trace.find(({ spanId }) => spanId === span.parentSpanId);
  return parent !== undefined && span.endTimeUnixNano > parent.endTimeUnixNano;
}

/** Whether no attempt at an address that failed is among those that did not. */
function hasOneBrokenPort(_: Trace, all: readonly Trace[]): boolean {
  const attempts = all.flatMap(attemptsIn);
  const broken = portsOf(attempts.filter(isRed));
  const well = portsOf(attempts.filter((span) => !isRed(span)));
  return broken.size <= 1 && broken.isDisjointFrom(well);
}

function portsOf(spans: readonly SinkSpan[]): Set<unknown> {
  return new Set(spans.map(({ attributes }) => attributes['server.port']));
}

/** The culprit is the step that failed. */
function doCancelledEndFirst(trace: Trace): boolean {
  const steps = trace.filter(({ kind }) => kind === 'INTERNAL');
  const cancelled = steps.filter(({ attributes }) => attributes['plait.cancelled'] === true);
  const culprit = steps.find(isRed);
  return (
    culprit !== undefined &&
    cancelled.length > 0 &&
    cancelled.every((span) => span.endTimeUnixNano < culprit.endTimeUnixNano)
  );
}
