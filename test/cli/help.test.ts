/** The help of every command: how it is used, what it takes, and examples that it would take. */
import { describe, expect, it } from 'vitest';
import { run } from '../support/processes.ts';

const helps = new Map<string, string>();

async function helpOf(command: string): Promise<string> {
  const known = helps.get(command);
  if (known !== undefined) return known;
  const words = command.split(' ').slice(1);
  const program = run('bin/plait.js', [...words, '--help'], {});
  expect([await program.exitCode, program.errors()]).toEqual([0, '']);
  const help = program.lines.join('\n');
  helps.set(command, help);
  return help;
}

/** The names in the list of a help, each at the beginning of its line. */
function namesIn(help: string, heading: string): string[] {
  const [, list = ''] = new RegExp(`\n${heading}\n\n([^]*?)(?:\n\n|$)`).exec(help) ?? [];
  return list.split('\n').flatMap((line) => /^ *([^\s=]+)/.exec(line)?.[1] ?? []);
}

const groups = ['plait', 'plait new', 'plait key'];
const commands = [
  'plait dev',
  'plait start',
  'plait check',
  'plait explain',
  'plait new service',
  'plait key new',
  'plait trace',
  'plait upstreams',
];

describe('the help of a command', () => {
  it.each([...groups, ...commands])('has its name, its usage and examples: %s', async (name) => {
    const help = await helpOf(name);
    // oxlint-disable-next-line no-control-regex -- colours are commands to a terminal
    expect(help).not.toMatch(/\u001b/);
    expect(help.split('\n')[0]).toMatch(new RegExp(`^[A-Z].+ \\(${name} v\\d+\\.\\d+\\.\\d+\\)$`));
    expect(help).toContain(`\nUSAGE ${name} `);
    const [, examples = ''] = /\nEXAMPLES\n\n([^]+)/.exec(help) ?? [];
    const others = examples.split('\n').filter((line) => !`${line} `.startsWith(`  ${name} `));
    expect([examples.length > 0, others]).toEqual([true, []]);
  });

  it.each(commands)('has examples with options that there are: %s', async (name) => {
    const help = await helpOf(name);
    const options = new Set(namesIn(help, 'OPTIONS'));
    expect(options.size).toBeGreaterThan(0);
    const used = help.split('\nEXAMPLES\n')[1]?.match(/--[a-z-]+/g) ?? [];
    expect(used.filter((option) => !options.has(option))).toEqual([]);
  });

  it('lists all of them in that of its group', async () => {
    const found = await Promise.all(
      groups.map(async (name) =>
        namesIn(await helpOf(name), 'COMMANDS').map((word) => `${name} ${word}`),
      ),
    );
    expect(found.flat().toSorted()).toEqual([...groups.slice(1), ...commands].toSorted());
  });
});
