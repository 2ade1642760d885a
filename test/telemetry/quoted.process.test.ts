import { describe, expect, it } from 'vitest';
import { startCollector } from './_collector.ts';
import { composition, secrets } from './_leaky.ts';
import { beginnings, leaksIn, production, startProcess, stopped, text } from './_production.ts';

/**
 * Everything that a request for `path` leaves at the collector, in metrics and in the log, in
 * production.
 */
async function leaksOf(
  path: string,
  { files = {}, init = {} }: { files?: Record<string, string>; init?: RequestInit } = {},
): Promise<string[]> {
  const collector = await startCollector();
  const { gateway, url, admin } = await startProcess(
    { ...production, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
    files,
  );
  const response = await fetch(url + path, init);
  expect(response.status).toBeGreaterThanOrEqual(400);
  const metrics = await fetch(`${admin}/metrics`).then(text);
  const output = await stopped(gateway);
  const otlp = collector.received().toString('latin1');
  expect(otlp).toContain(path.slice(1));
  return leaksIn({ otlp, metrics, output }, beginnings);
}

const anything = 'call(leaky.anything, {})';

// Each of these is a fault of the gateway that is known: see the words in their names.
describe('what a service answered, or a client sent, and is quoted all the same', () => {
  it('an unexpected field, where the response of a composition does not fit', async () => {
    const strict = composition(
      `route: 'GET /it', response: z.object({ part: z.strictObject({}) })`,
      `() => ({ part: map(${anything}, ({ value }) => ({ [value]: 1 })) })`,
    );
    expect(await leaksOf('/it', { files: { 'it.ts': strict } })).toEqual([]);
  });

  it('the name of an entry, where the response of a composition does not fit', async () => {
    const entries = composition(
      `route: 'GET /it', response: z.object({ part: z.record(z.string(), z.number()) })`,
      `() => ({ part: map(${anything}, ({ value }) => ({ [value]: 'x' })) })`,
    );
    expect(await leaksOf('/it', { files: { 'it.ts': entries } })).toEqual([]);
  });

  it('a field of the body of a request, where a service cannot be sent it', async () => {
    const body = JSON.stringify({ card: 'x', extra: { [secrets.requestKey]: 5 } });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    expect(await leaksOf('/posted/ok', { init })).toEqual([]);
  });

  it('a value, by the words of a schema for why it does not fit', async () => {
    const worded = composition(
      `route: 'GET /it'`,
      `() => ({ part: call(operation(leaky.anything.service, {
        name: 'worded', route: 'GET /ok',
        response: z.object({ value: z.string().max(3, { error: ({ input }) => input + ' is too long' }) }),
      }), {}) })`,
    );
    expect(await leaksOf('/it', { files: { 'it.ts': worded } })).toEqual([]);
  });

  it('the second line of an unforeseen error, where it looks like a place in the code', async () => {
    const thrown = composition(
      `route: 'GET /it'`,
      `() => ({ part: map(${anything}, ({ value }) => ({ toJSON() { throw new Error('no\\nat ' + value); } })) })`,
    );
    expect(await leaksOf('/it', { files: { 'it.ts': thrown } })).toEqual([]);
  });

  it('the name of an error, which becomes a label of metrics', async () => {
    const named = composition(
      `route: 'GET /it'`,
      `() => ({ part: map(${anything}, ({ value }) => ({ toJSON() { throw Object.assign(new Error(), { name: value }); } })) })`,
    );
    expect(await leaksOf('/it', { files: { 'it.ts': named } })).toEqual([]);
  });
});
