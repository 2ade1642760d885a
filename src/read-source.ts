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
    // Whoever imports the file reports what is wrong with it.
    return undefined;
  }
}

/** Node does this when it loads the file; that it also offers it as a function is experimental. */
export function withoutTypes(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
