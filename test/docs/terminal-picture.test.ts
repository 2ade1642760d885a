import { describe, expect, it } from 'vitest';
import { drawTerminal, shapeOf } from '../../docs/pictures/terminal-picture.ts';

function draw(output: string): string {
  return drawTerminal('Traces', [{ command: 'npx plait trace', output }]);
}

describe('the picture of a terminal', () => {
  it('says what it is of, and which command was given', () => {
    expect(draw('a')).toContain('<title>Traces</title>');
    expect(shapeOf(draw('a')).join(' ').trim()).toBe('Traces $ npx plait trace a');
  });

  it('puts each column at its place, whatever the font', () => {
    expect(draw('a    b')).toMatch(/<text x="52\.0"[^>]*>b</);
  });

  it('draws bars as such', () => {
    expect(draw('a  ██  b')).toMatch(/<rect x="37\.6" [^>]*width="14\.4"/);
  });

  it('has the colours of the terminal', () => {
    expect(draw('a  \u001b[31m✗ b\u001b[39m c')).toMatch(/fill="#d1242f">✗ b<.*> c</);
  });

  it('takes output as text', () => {
    expect(draw('</svg>&')).toContain('&lt;/svg>&amp;');
  });

  it('goes on in the next line where one is too long, and tears no word apart', () => {
    const [long, word] = ['a'.repeat(152), 'b'.repeat(20)];
    expect(draw(`${long} ${word}  c`)).toMatch(
      new RegExp(`y="45"[^>]*>${long}<.*\\n<text x="44\\.8" y="63"[^>]*>${word}<.*>c<`),
    );
    expect(shapeOf(draw(`${long} ${word}`))).toEqual(expect.arrayContaining([long, word]));
  });

  it('has the same shape in each run, and another one where it says something else', () => {
    const id = '0af7651916cd43dd8448eb211c80319c';
    const one = shapeOf(draw(`${id}  503  12.5 ms  ████  ✗ b`));
    expect(shapeOf(draw(`${id.replace('0', 'f')}  200    1.25 ms  █  ✗ b`))).toEqual(one);
    expect(shapeOf(draw(`${id}  503  12.5 ms  ████  ✗ c`))).not.toEqual(one);
  });
});
