import { describe, expect, it } from 'vitest';
import { checkArguments } from '../../src/cli/arguments.ts';
import { loadCompositions } from '../../src/load-compositions.ts';

const definitions = {
  route: { type: 'positional' },
  compositions: { type: 'string', valueHint: 'folder' },
  'from-openapi': { type: 'string', valueHint: 'file' },
  env: { type: 'boolean' },
};
const takes = 'It takes <route>, --compositions=<folder>, --from-openapi=<file>, --env.';

describe('the arguments of a command', () => {
  it.each([
    ['all it takes', { _: ['a'], compositions: 'x', 'from-openapi': 'y', env: true }],
    ['nothing', { _: [] }],
    ['the other spelling of an option', { _: [], fromOpenapi: 'y' }],
  ])('may be %s', (_, given) => {
    expect(() => checkArguments('check', { given, written: [] }, definitions)).not.toThrow();
  });

  it.each([
    [{ _: [], envv: true }, `plait check does not take --envv. ${takes}`],
    [{ _: ['a', 'b', 'c'] }, `plait check does not take "b", "c". ${takes}`],
    [{ _: [], p: true, port: '1' }, `plait check does not take -p, --port. ${takes}`],
    [{ _: [], compositions: '' }, '--compositions has no value. Write --compositions=<folder>.'],
    [{ _: [], compositions: false }, '--compositions has no value. Write --compositions=<folder>.'],
  ])('are refused where they would be ignored: %j', (given, message) => {
    expect(() => checkArguments('check', { given, written: [] }, definitions)).toThrow(message);
  });

  it.each([
    [['--route=/orders'], `plait check does not take --route. ${takes}`],
    [['--route', '/orders'], `plait check does not take --route. ${takes}`],
    [['--env=no'], '--env takes no value. Write --env, or leave it out.'],
    [['--env='], '--env takes no value. Write --env, or leave it out.'],
  ])('are refused where the parser would drop a part of them: %j', (written, message) => {
    const given = { _: [], env: true };
    expect(() => checkArguments('check', { given, written }, definitions)).toThrow(message);
  });

  it.each([[['--env=false', '--', '--route']], [['--env', '--compositions=a=b']]])(
    'are taken as they are written: %j',
    (written) => {
      const given = { _: ['--route'], env: false };
      expect(() => checkArguments('check', { given, written }, definitions)).not.toThrow();
    },
  );

  it('cannot name a folder without a name, which would be the working directory', async () => {
    await expect(loadCompositions('')).rejects.toThrow('The folder has no name.');
  });
});
