/**
 * The files of a folder of compositions: finds them at any depth, and which of them mention others.
 *
 * Ignored by convention: hidden files, `node_modules`, declarations (`*.d.ts`) and tests
 * (`*.test.ts`, `*.spec.ts`). Every other file that could be meant as code or data is looked at, or
 * warned of by name.
 */
import { readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { CompositionError, ConfigurationError, errorCode, toError } from './errors.ts';

/** A file of source text. */
export interface SourceFile {
  /** Its path below the folder, with slashes. */
  readonly path: string;
  readonly realPath: string;
  readonly text: string;
}

export interface FoundFiles {
  /** The files that Node can import and that are no tests, by path. */
  readonly sources: readonly SourceFile[];
  readonly tests: readonly SourceFile[];
  /** The paths of files of code or data that are not loaded. */
  readonly ignored: readonly { readonly path: string; readonly realPath: string }[];
  /** Entries of the folder that can be neither read nor left out. */
  readonly errors: readonly CompositionError[];
}

const isLoadable = (path: string): boolean => /\.(?:ts|mts|js|mjs)$/.test(path);
const isDeclaration = (path: string): boolean => /\.d\.[cm]?ts$/.test(path);
const isTest = (path: string): boolean => /\.(?:test|spec)\.[cm]?[jt]sx?$/.test(path);
const isHidden = (name: string): boolean => name.startsWith('.') || name === 'node_modules';
const isConfiguration = (path: string): boolean =>
  /(?:^|\/)(?:package|tsconfig)\b.*\.json$/.test(path);
const isCodeOrData = (path: string): boolean => /\.(?:[cm]?[jt]sx?|jsonc?|ya?ml)$/i.test(path);

const where = 'Run plait where compositions/ is, or name it with --compositions.';

/** @throws ConfigurationError if `folder` cannot be read. */
export function findFiles(folder: string): FoundFiles {
  // It would be the working directory, all programs of which would run.
  if (folder === '') throw new ConfigurationError(`The folder has no name. ${where}`);
  const sources: SourceFile[] = [];
  const tests: SourceFile[] = [];
  const ignored: { path: string; realPath: string }[] = [];
  const errors: CompositionError[] = [];
  /** Paths by real path: a link may lead to what is there already, or around in a circle. */
  const seen = new Map<string, string>();

  /** Whether the file or folder has not been found under another path. */
  function isNew(path: string, realPath: string): boolean {
    const other = seen.get(realPath);
    if (other === undefined) seen.set(realPath, path);
    else errors.push(new CompositionError(path, `this is the same as ${other}. Remove the link.`));
    return other === undefined;
  }

  function visit(path: string): void {
    const stats = statSync(join(folder, path));
    const realPath = realpathSync(join(folder, path));
    if (stats.isDirectory()) {
      if (isLoadable(path)) {
        const words = 'this is a folder, although its name ends like that of a file. Rename it.';
        errors.push(new CompositionError(path, words));
      } else if (isNew(path, realPath)) visitFolder(path);
      return;
    }
    if (isDeclaration(path) || isConfiguration(path) || !isCodeOrData(path)) return;
    if (!stats.isFile()) {
      errors.push(new CompositionError(path, 'this is neither a file nor a folder. Remove it.'));
    } else if (!isLoadable(path)) {
      if (!isTest(path)) ignored.push({ path, realPath });
    } else if (isNew(path, realPath)) {
      const text = readFileSync(realPath, 'utf8');
      (isTest(path) ? tests : sources).push({ path, realPath, text });
    }
  }

  function visitFolder(path: string): void {
    const entries = readdirSync(join(folder, path), { withFileTypes: true });
    // Links come last, so that a link is named and not the file that it leads to.
    const ordered = entries
      .filter(({ name }) => !isHidden(name))
      .toSorted((a, b) => Number(a.isSymbolicLink()) - Number(b.isSymbolicLink()));
    for (const { name } of ordered) {
      const inner = path === '' ? name : `${path}/${name}`;
      try {
        visit(inner);
      } catch (error) {
        errors.push(unreadable(inner, error));
      }
    }
  }

  try {
    seen.set(realpathSync(folder), 'the folder around it');
    visitFolder('');
  } catch (error) {
    throw unreadableFolder(folder, error);
  }
  return { sources: byPath(sources), tests, ignored: byPath(ignored), errors };
}

function unreadable(path: string, error: unknown): CompositionError {
  const problem = isMissing(error)
    ? 'this is a link to a file that does not exist. Remove it, or mend where it leads'
    : `this cannot be read: ${toError(error).message}`;
  return new CompositionError(path, `${problem}.`, { cause: error });
}

function unreadableFolder(folder: string, error: unknown): ConfigurationError {
  if (isMissing(error)) return noFolder(folder);
  const problem = `The folder ${folder} cannot be read (${toError(error).message}).`;
  return new ConfigurationError(`${problem} ${where}`, { cause: error });
}

export function noFolder(folder: string): ConfigurationError {
  return new ConfigurationError(`There is no folder ${folder}. ${where}`);
}

function isMissing(error: unknown): boolean {
  return errorCode(error) === 'ENOENT';
}

/**
 * The real paths that each file mentions in a string, as an import or a URL does: `./rates.ts`,
 * `../data.json`, `#shared`.
 */
export function mentionsOf({ text, realPath }: SourceFile): ReadonlySet<string> {
  const { resolve } = createRequire(realPath);
  const mentioned = new Set<string>();
  for (const [, , specifier = ''] of text.matchAll(/(['"`])((?:\.{1,2}\/|#)[^'"`\n]+)\1/g)) {
    try {
      mentioned.add(resolve(specifier));
    } catch {
      // It is no file, or one that the import itself will complain about.
    }
  }
  mentioned.delete(realPath);
  return mentioned;
}

function byPath<T extends { readonly path: string }>(files: readonly T[]): readonly T[] {
  return files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}
