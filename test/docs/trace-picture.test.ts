import { describe, expect, it } from 'vitest';
import { drawTrace } from '../../docs/pictures/trace-picture.ts';

const request = span('request', { service: 'plait', name: 'GET /a', endMs: 100 });
const attempt = span('attempt', { parentSpanId: 'request', startMs: 10, endMs: 30 });

function span(spanId: string, more: Partial<Parameters<typeof drawTrace>[0]['spans'][number]>) {
  const rest = { service: 'orders', name: 'GET /b', startMs: 0, endMs: 20, attributes: {} };
  return { spanId, ...rest, ...more };
}

function draw(...spans: Parameters<typeof drawTrace>[0]['spans']) {
  return drawTrace({ traceId: 'abc', spans });
}

describe('the picture of a trace', () => {
  it('is the same in whatever order the spans arrive', () => {
    expect(draw(attempt, request)).toBe(draw(request, attempt));
  });

  it('says what it is of', () => {
    expect(draw(request, attempt)).toContain('100 ms · 2 services · 2 spans · 0 errors');
  });

  it('marks what went wrong', () => {
    expect(draw(request, attempt)).not.toContain('<circle');
    expect(draw(request, { ...attempt, error: '503' })).toContain('>503<');
  });

  it('takes names as text', () => {
    expect(draw({ ...request, name: '</svg>&' })).toContain('&lt;/svg>&amp;');
  });

  it('is not drawn of a trace that lacks spans', () => {
    const orphan = span('orphan', { parentSpanId: 'lost', startMs: 5 });
    expect(() => draw(request, orphan)).toThrow('Trace abc: only 1 of 2 spans are one tree.');
  });
});
