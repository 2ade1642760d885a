/** The files of compositions and what they import from each other, as far as source text shows. */
import { dirname, join } from 'node:path';
import type { AnyNode, ExportNamedDeclaration, ImportDeclaration, Program } from 'acorn';
import { silent } from './at.ts';
import type { At } from './at.ts';
import { evaluate, startAt, staticsOf } from './evaluate.ts';
import { parseProgram } from './parse.ts';
import { fieldOf, unknown } from './value.ts';
import type { Closure, Scope, Value } from './value.ts';

/** The text of a file as JavaScript, and as it was written; `undefined` if it cannot be read. */
export type ReadSource = (path: string) => { text: string; typed: string } | undefined;

export interface Modules {
  /** The function `compose` of the composition that the file exports, if its source shows it. */
  composeIn(path: string): Closure | undefined;
}

interface Module {
  readonly path: string;
  readonly program: Program;
  readonly at: At;
}

/** Reads each file once, and only when it is asked for. */
export function createModules(read: ReadSource): Modules {
  const known = new Map<string, Module | undefined>();

  function open(path: string): Module | undefined {
    if (!known.has(path)) known.set(path, parsed(path));
    return known.get(path);
  }

  function parsed(path: string): Module | undefined {
    const texts = read(path);
    const program = texts && parseProgram(texts.text);
    if (texts === undefined || program === undefined) return undefined;
    const scope: Scope = {
      around: undefined,
      names: new Map(),
      source: { ...texts, offset: 0, path },
      outside: (name) => topLevel(module, name),
    };
    const module: Module = { path, program, at: outermost(scope) };
    return module;
  }

  /** The value of a name at the top of a file. */
  function topLevel(module: Module, name: string): Value {
    const { names } = module.at.scope;
    names.set(name, unknown); // where its value depends on itself
    const value = declared(module, name) ?? { kind: 'named', from: 'global', path: [name] };
    names.set(name, value);
    return value;
  }

  function declared(module: Module, name: string): Value | undefined {
    for (const statement of module.program.body) {
      if (statement.type === 'ImportDeclaration') {
        const value = importedAs(name, statement, module);
        if (value) return value;
      }
      const value = declaredIn(statement, name, module);
      if (value) return value;
    }
    return undefined;
  }

  function importedAs(name: string, node: ImportDeclaration, module: Module): Value | undefined {
    const found = node.specifiers.find(({ local }) => local.name === name);
    if (found === undefined) return undefined;
    const from = String(node.source.value);
    if (found.type === 'ImportNamespaceSpecifier') return namespace(from, module);
    const exported = found.type === 'ImportSpecifier' ? nameOf(found.imported) : 'default';
    return exportedFrom(from, exported, module);
  }

  function exportedFrom(from: string, name: string, module: Module): Value {
    if (!from.startsWith('.')) return { kind: 'named', from, path: [name] };
    const target = open(join(dirname(module.path), from));
    return (target && exportOf(target, name)) ?? unknown;
  }

  function namespace(from: string, module: Module): Value {
    if (!from.startsWith('.')) return { kind: 'named', from, path: [] };
    const target = open(join(dirname(module.path), from));
    if (target === undefined) return unknown;
    const names = target.program.body.flatMap(exportedNames);
    const fields = names.map((name) => [name, exportOf(target, name) ?? unknown] as const);
    return { kind: 'object', fields: new Map(fields) };
  }

  function exportOf(module: Module, name: string): Value | undefined {
    for (const node of module.program.body) {
      const value = exportedBy(node, name, module);
      if (value) return value;
    }
    return undefined;
  }

  function exportedBy(node: AnyNode, name: string, module: Module): Value | undefined {
    switch (node.type) {
      case 'ExportDefaultDeclaration':
        return name === 'default' ? defaultOf(node.declaration, module) : undefined;
      case 'ExportAllDeclaration': {
        if (node.exported || name === 'default') return undefined;
        const value = exportedFrom(String(node.source.value), name, module);
        return value.kind === 'unknown' ? undefined : value;
      }
      case 'ExportNamedDeclaration':
        return exportedByName(node, name, module);
      default:
        return undefined;
    }
  }

  function exportedByName(
    { specifiers, source, declaration }: ExportNamedDeclaration,
    name: string,
    module: Module,
  ): Value | undefined {
    const found = specifiers.find(({ exported }) => nameOf(exported) === name);
    const local = found && nameOf(found.local);
    if (local && source) return exportedFrom(String(source.value), local, module);
    if (local) return valueAt(module, local);
    const isOwn = declaration && namesIn(declaration).includes(name);
    return isOwn ? valueAt(module, name) : undefined;
  }

  function valueAt({ at: { scope } }: Module, name: string): Value {
    return scope.names.get(name) ?? scope.outside(name);
  }

  return {
    composeIn(path) {
      const module = open(path);
      const config = module && exportOf(module, 'default');
      const compose = config && fieldOf(config, 'compose');
      return compose?.kind === 'function' ? compose : undefined;
    },
  };
}

function outermost(scope: Scope): At {
  const entered = new Set<unknown>();
  const reading = {
    ...silent,
    mayEnter: (node: unknown) => !entered.has(node) && entered.add(node).size < 100,
    leaves: (node: unknown) => void entered.delete(node),
  };
  return startAt(reading, scope, 'perhaps');
}

/** The value that a statement at the top of a file gives a name. */
function declaredIn(statement: AnyNode, name: string, { at }: Module): Value | undefined {
  const node =
    statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
      ? statement.declaration
      : statement;
  if (!node || !namesIn(node).includes(name)) return undefined;
  if (node.type === 'FunctionDeclaration') return { kind: 'function', node, scope: at.scope };
  if (node.type === 'ClassDeclaration') return staticsOf(node, at);
  if (node.type !== 'VariableDeclaration' || node.kind !== 'const') return unknown;
  const found = node.declarations.find(({ id }) => id.type === 'Identifier' && id.name === name);
  return found?.init ? evaluate(found.init, at) : unknown;
}

function defaultOf(node: AnyNode, { at }: Module): Value {
  if (node.type === 'FunctionDeclaration') return { kind: 'function', node, scope: at.scope };
  return evaluate(node, at);
}

function exportedNames(node: AnyNode): string[] {
  if (node.type !== 'ExportNamedDeclaration') return [];
  const own = node.declaration ? namesIn(node.declaration) : [];
  return [...own, ...node.specifiers.map(({ exported }) => nameOf(exported))];
}

/** The names that a statement declares; those in patterns hold values that are not followed. */
function namesIn(node: AnyNode): string[] {
  if (node.type === 'FunctionDeclaration' || node.type === 'ClassDeclaration')
    return node.id ? [node.id.name] : [];
  if (node.type !== 'VariableDeclaration') return [];
  return node.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? [id.name] : []));
}

function nameOf(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name;
  return node.type === 'Literal' ? String(node.value) : '';
}
