import { describe, expect, it } from 'vitest';
import { createLog, logLevels } from '../../src/telemetry/log.ts';
import type { LogLevel } from '../../src/telemetry/log.ts';
import { toLine } from '../../src/telemetry/log-format.ts';

function record(level: LogLevel, format: 'json' | 'text') {
  const lines: string[] = [];
  const log = createLog({ level, format, write: (line) => void lines.push(line) });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

/** Says something at every level that there is a word for. */
function sayAll({ debug, info, warn, error }: ReturnType<typeof createLog>): void {
  debug({}, 'debug');
  info({}, 'info');
  warn({}, 'warn');
  error({}, 'error');
}

/** Characters that move a cursor, or begin or end a line, in some reader or other. */
const hostile = 'a\r\nb\u001b[2Jc\u0085d\u2028e\u2029f\u0000g\u009bh\u007f';

describe('a line of JSON', () => {
  it('has level, time, the fields and the message, and nothing of the process', () => {
    const { log, lines, parsed } = record('info', 'json');
    log.info({ status: 200, route: '/a/{id}' }, 'GET /a/{id} 200');
    expect(parsed()).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        status: 200,
        route: '/a/{id}',
        message: 'GET /a/{id} 200',
      },
    ]);
    expect(lines[0]?.endsWith('}\n')).toBe(true);
  });

  it('is one line, whatever is said', () => {
    const { log, lines, parsed } = record('info', 'json');
    log.info({ said: hostile }, hostile);
    expect(parsed()[0]).toMatchObject({ said: hostile, message: hostile });
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    expect(lines.join('').trimEnd()).not.toMatch(/[\r\n\u001b\u0000]/);
  });

  // Some readers of logs take them for ends of lines; JSON need not escape them.
  it('has none of the ends of lines that only some readers know', () => {
    const { log, lines } = record('info', 'json');
    log.info({ said: hostile }, hostile);
    expect(lines.join('').trimEnd()).not.toMatch(/[\u0085\u2028\u2029\u009b\u007f]/);
  });
});

describe('a level', () => {
  it.each([
    ['trace', ['debug', 'info', 'warn', 'error']],
    ['debug', ['debug', 'info', 'warn', 'error']],
    ['info', ['info', 'warn', 'error']],
    ['warn', ['warn', 'error']],
    ['error', ['error']],
    ['fatal', []],
    ['silent', []],
  ] as const)('%s lets %j through', (level, expected) => {
    const { log, parsed } = record(level, 'json');
    sayAll(log);
    expect(parsed().map(({ message }) => message)).toEqual(expected);
    expect(log.level.get()).toBe(level);
  });

  it('may change while it runs', () => {
    const { log, parsed } = record('error', 'json');
    sayAll(log);
    log.level.set('debug');
    sayAll(log);
    log.level.set('silent');
    sayAll(log);
    expect(parsed().map(({ message }) => message)).toEqual([
      'error',
      'debug',
      'info',
      'warn',
      'error',
    ]);
    expect(log.level.known).toEqual(logLevels);
  });
});

describe('a line of text', () => {
  const time = '2026-11-24T12:08:31.207Z';
  const line = (fields: object): string =>
    toLine(JSON.stringify({ level: 'info', time, message: 'GET /a 200', ...fields }));

  it('has time, level, message and what is not in the message already', () => {
    const fields = { trace_id: '4bf9', span_id: '1', request_id: 'r', method: 'GET', route: '/a' };
    expect(line({ ...fields, composition: 'a', status: 200, duration_ms: 14.2 })).toBe(
      '12:08:31.207 info  GET /a 200  trace_id=4bf9  duration_ms=14.2\n',
    );
  });

  it('shows lists as JSON, and objects by their fields', () => {
    const error = { type: 'timeout', message: 'step "a": late', of: { a: 1 } };
    expect(line({ degraded: ['a: b'], error })).toBe(
      '12:08:31.207 info  GET /a 200  degraded=["a: b"]  error.type=timeout  ' +
        'error.message=step "a": late  error.of={"a":1}\n',
    );
  });

  it('has level and message in the colour of the level, for a terminal', () => {
    const json = JSON.stringify({ level: 'warn', time, message: 'GET /a 200', a: 1 });
    expect(toLine(json, (level, text) => `<${level}>${text}</>`)).toBe(
      '12:08:31.207 <warn>warn  GET /a 200</>  a=1\n',
    );
  });

  it('is one line, whatever is said, and commands no terminal', () => {
    const text = line({ message: hostile, said: hostile, list: [hostile], object: { hostile } });
    expect(text.indexOf('\n')).toBe(text.length - 1);
    // oxlint-disable-next-line no-control-regex -- these are what is looked for
    expect(text.trimEnd()).not.toMatch(/[\u0000-\u001f]/);
    expect(text).toContain(String.raw`a\r\nb\u001b[2Jc`);
  });

  // JSON.stringify, which is used to show them, leaves them as they are. U+009B is ESC [ in one character.
  it.each(['7f', '85', '9b', '2028', '2029', '200f', '202e', '2066'])(
    'shows U+%s as text',
    (code) => {
      const char = String.fromCodePoint(Number.parseInt(code, 16));
      expect(line({ message: char, said: char })).not.toContain(char);
    },
  );

  it('has what lies behind an error below it, indented', () => {
    expect(line({ causes: ['Error: no\nat here', `Error: ${hostile}`] }).split('\n')).toEqual([
      '12:08:31.207 info  GET /a 200',
      '    Error: no',
      '    at here',
      String.raw`    Error: a\r`,
      expect.stringMatching(/^ {4}b\\u001b\[2Jc/),
      '',
    ]);
  });

  it('is what a log of text writes', () => {
    const { log, lines } = record('info', 'text');
    log.warn({ said: 'x\ny' }, 'no\nmore');
    expect(lines).toEqual([
      expect.stringMatching(/^\d\d:\d\d:\d\d\.\d{3} warn {2}no\\nmore {2}said=x\\ny\n$/),
    ]);
  });
});
