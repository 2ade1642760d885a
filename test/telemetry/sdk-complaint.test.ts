/** The text of what the OpenTelemetry SDK complains of. */
import { expect, it } from 'vitest';
import { complaintOf } from '../../src/telemetry/sdk-complaint.ts';

it('has why a collector has taken only a part', () => {
  const partial = '{"rejectedSpans":3,"errorMessage":"quota exceeded"}';
  expect(complaintOf(['Received Partial Success response:', partial])).toBe(
    `Received Partial Success response: ${partial}`,
  );
});

it('has the message of an error and its code, and nothing else of it', () => {
  const rejected = Object.assign(new TypeError('Bad Request'), {
    code: 400,
    data: 'hunter2',
  });
  expect(complaintOf([rejected])).toBe('TypeError: Bad Request (400)');
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:4318'), {
    code: 'ECONNREFUSED',
  });
  expect(complaintOf([refused])).toBe('connect ECONNREFUSED ::1:4318');
  const both = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' });
  expect(complaintOf([both])).toBe('AggregateError (ECONNREFUSED)');
});

it('has the name of a component and its text, and nothing of its objects', () => {
  expect(complaintOf(['Delegate', 'No answer', new Error('too late'), { a: 1 }, undefined])).toBe(
    'Delegate No answer too late',
  );
});

it('is bounded', () => {
  expect(complaintOf(['x'.repeat(10_000)])).toHaveLength(500);
});
