/** Reads a source file as the JavaScript that Node runs of it. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';

/**
 * The text without types, each character at its place, and as it was written; `undefined` if the
 * file cannot be read.
 */
export function readSource(path: string): { text: string; typed: string } | undefined {
  try {
    const typed = readFileSync(path, 'utf8');
    return { text: /\.[mc]?ts$/.test(path) ? withoutTypes(typed) : typed, typed };
  } catch {
    // Importing the file gives a better message.
    return undefined;
  }
}

/** As Node does when it loads the file. Only the function for it is experimental, so no warning. */
export function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
