/** Texts of a document as comments. */
import { columns } from './print.ts';

/** One line without characters that would end a comment, or that nobody sees. */
export function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll('*/', '* /')
    .trim();
}

/** `/** … *\/`: on one line if it fits, otherwise on several. */
export function docComment(text: string): string {
  const line = `/** ${oneLine(text)} */`;
  if (line.length <= columns) return line;
  return ['/**', ...wrapped(oneLine(text), ' * '), ' */'].join('\n');
}

/** The lines of a text, each behind `prefix`; words longer than a line stay whole. */
export function wrapped(text: string, prefix: string, hanging = prefix): readonly string[] {
  const lines: string[] = [];
  let line = prefix;
  for (const word of text.split(' ')) {
    const isEmpty = line === prefix || line === hanging;
    if (!isEmpty && line.length + 1 + word.length > columns) {
      lines.push(line.trimEnd());
      line = hanging;
    }
    line += line === prefix || line === hanging ? word : ` ${word}`;
  }
  return [...lines, line];
}

/** The first sentence of a summary or description, with a full stop. */
export function firstSentence(text: string): string {
  const [sentence = ''] = oneLine(text).split(/(?<=[.!?]) (?=[A-Z])/, 1);
  return sentence === '' || /[.!?:]$/.test(sentence) ? sentence : `${sentence}.`;
}
