import { beforeEach, describe, expect, it, vi } from 'vitest';
import { paint } from '../../src/cli/paint.ts';

const red = (text: string): string => `\u001b[31m${text}\u001b[39m`;
const yellow = (text: string): string => `\u001b[33m${text}\u001b[39m`;
const green = (text: string): string => `\u001b[32m${text}\u001b[39m`;

describe('a view in colours', () => {
  beforeEach(() => {
    vi.stubEnv('NO_COLOR', undefined);
    vi.stubEnv('FORCE_COLOR', '1');
    return () => vi.unstubAllEnvs();
  });

  it.each([
    ['a service that is to blame', 'GET /a  ✗ shop 503', `GET /a  ${red('✗ shop 503')}`],
    ['a slow one', 'GET /a  slow: shop 700 ms', `GET /a  ${yellow('slow: shop 700 ms')}`],
    [
      'what a response lacks, beside the culprit',
      'GET /a  ✗ shop 503  degraded part  shed',
      `GET /a  ${red('✗ shop 503')}  ${yellow('degraded part')}  shed`,
    ],
    [
      'the bar of a span that failed',
      'step  ██  1 ms  ✗ 503',
      `step  ${red('██')}  1 ms  ${red('✗ 503')}`,
    ],
    ['a row of a service that fails', '✗  shop  breaker open', red('✗  shop  breaker open')],
    ['a row of one that sometimes does', '!  shop  1 (2 %)', yellow('!  shop  1 (2 %)')],
    ['only the mark of one that is well', '✓  shop  0', `${green('✓')}  shop  0`],
  ])('shows %s', (_, text, painted) => {
    expect(paint(text)).toBe(painted);
  });

  it('is painted line by line', () => {
    expect(paint('✗  a\n   b\n!  c')).toBe(`${red('✗  a')}\n   b\n${yellow('!  c')}`);
  });

  it('is as it was where nothing is wrong', () => {
    const well = 'GET /degraded  ███  1.00 ms\n  step slow:  ██  1.00 ms  cache hit';
    expect(paint(well)).toBe(well);
  });

  it('is plain where the reader wants no colours', () => {
    vi.stubEnv('FORCE_COLOR', undefined);
    vi.stubEnv('NO_COLOR', '1');
    expect(paint('GET /a  ✗ shop 503')).toBe('GET /a  ✗ shop 503');
  });
});
