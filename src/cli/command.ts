/** A command of the command line, and its help: the door to citty. */
import { stripVTControlCharacters } from 'node:util';
import { defineCommand, renderUsage, runMain } from 'citty';
import type { ArgsDef, CommandDef, ParsedArgs } from 'citty';
import { readVersion } from '../version.ts';
import { checkArguments } from './arguments.ts';
import { endProcess, orExit } from './exit.ts';

interface Described {
  /** Its effect, in half a sentence. */
  readonly description: string;
  /** Command lines without the name of the program, for its help. */
  readonly examples: readonly string[];
}

interface CommandOptions<Args extends ArgsDef> extends Described {
  readonly args: Args;
  /** Whether the process goes on when `run` has returned. Default: no. */
  readonly goesOn?: boolean;
  run(args: ParsedArgs<Args>): Promise<void>;
}

/** A command that refuses unknown arguments, and reports its errors. `name`: as in `key new`. */
export function command<const Args extends ArgsDef>(
  name: string,
  { args, run, goesOn = false, ...described }: CommandOptions<Args>,
): CommandDef<Args> {
  const made = defineCommand({
    meta: metaOf(name, described),
    args,
    async run({ args: given, rawArgs }) {
      await orExit(async () => {
        checkArguments(name, { given, written: rawArgs }, args);
        await run(given);
      });
      if (!goesOn) endProcess();
    },
  });
  return withExamples(made, described);
}

interface GroupOptions extends Described {
  readonly commands: NonNullable<CommandDef['subCommands']>;
}

/** Commands that begin with the same word. */
export function group(name: string, { commands, ...described }: GroupOptions): CommandDef {
  // citty looks names up in the prototype, too.
  const subCommands = Object.assign(Object.create(null), commands);
  const made = defineCommand({ meta: metaOf(name, described), subCommands });
  return withExamples(made, described);
}

/** Runs the command that the process was started for, or shows the help that it asks for. */
export async function runCommand(program: CommandDef): Promise<void> {
  await runMain(program, { showUsage });
}

/** The program's own name is the empty one. */
function metaOf(name: string, { description }: Described) {
  return { name: `plait ${name}`.trimEnd(), version: readVersion(), description };
}

/** Of all commands: citty has no place for them. */
const examplesOf = new WeakMap<object, readonly string[]>();

function withExamples<Made extends object>(made: Made, { examples }: Described): Made {
  examplesOf.set(made, examples);
  return made;
}

async function showUsage<Args extends ArgsDef>(shown: CommandDef<Args>): Promise<void> {
  const usage = await renderUsage(shown);
  const examples = (examplesOf.get(shown) ?? []).map((line) => `  plait ${line}`);
  const lines = [usage.trimEnd(), '', 'EXAMPLES', '', ...examples];
  const text = lines.map((line) => line.trimEnd()).join('\n');
  console.log(process.stdout.isTTY ? text : stripVTControlCharacters(text));
}
