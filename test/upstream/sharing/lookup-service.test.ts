import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/errors.ts';
import { assertProperty } from '../../support/property.ts';
import { startServer } from '../../support/servers.ts';
import { openShop } from '../../support/upstream-calls.ts';
import {
  answerTo,
  argumentsOf,
  expectedFor,
  lookupOf,
  situations,
  writtenAs,
} from './generated-service.ts';
import type { Answer, Situation } from './generated-service.ts';

describe('a lookup over a real connection, in any style', () => {
  it('gives every key its own items, whatever comes beside them and in whatever order', async () => {
    let current: Situation | undefined;
    const server = await startServer((request, response) => {
      const { body = '' } = server.requests.at(-1) ?? {};
      const answer: Answer =
        current === undefined ? { status: 500, body: '' } : answerTo(current, request, body);
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    });
    const { service, open } = openShop({ url: server.url });
    await assertProperty(
      fc.asyncProperty(situations, async (situation) => {
        current = situation;
        const { keys, place } = situation;
        const before = server.requests.length;
        const own = lookupOf(service, situation);
        const call = open();
        const got = await Promise.all(
          keys.map((key) =>
            call(own, { ...argumentsOf(situation, key) }, undefined).then(
              ({ value }) => value,
              (error: unknown) => (error instanceof UpstreamError ? error.kind : error),
            ),
          ),
        );
        expect(got).toEqual(keys.map((key) => expectedFor(situation, key)));
        const distinct = new Set(keys.map((key) => writtenAs(situation, key))).size;
        expect(server.requests.length - before).toBe(place === 'single' ? distinct : 1);
      }),
    );
  });
});
