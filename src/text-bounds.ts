/** Bounds of texts, numbers, dates and lists that contradict each other. */
import type { z } from 'zod';
import type { Def } from './schema-parts.ts';

type CheckDef = Def | z.core.$ZodCheckDef;

/** The values that checks leave: from `least` to `most`, both included unless `isOpen`. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly isOpen: boolean;
}

/** Whether the checks of a schema of this kind leave no value that a text can give. */
export function isOverBound(type: Def['type'], defs: readonly CheckDef[]): boolean {
  // A function of the author may change the value between two checks.
  if (defs.some((def) => 'check' in def && def.check === 'overwrite')) return false;
  switch (type) {
    case 'string':
      return isEmpty(lengths(defs, 0));
    case 'array':
      return isEmpty(lengths(defs, 1)); // a list that arrives has an item
    case 'number':
    case 'bigint':
    case 'date':
      return isEmpty(values(defs));
    default:
      return false;
  }
}

function isEmpty({ least, most, isOpen }: Range): boolean {
  return least > most || (isOpen && least === most && Number.isSafeInteger(least));
}

function lengths(defs: readonly CheckDef[], shortest: number): Range {
  const least = defs.flatMap((def) => [
    ...numbersOf(def, 'minimum', 'length'),
    ...lengthsOf(def, 'prefix', 'suffix', 'includes'),
  ]);
  const most = defs.flatMap((def) => numbersOf(def, 'maximum', 'length'));
  return { least: Math.max(shortest, ...least), most: Math.min(...most), isOpen: false };
}

function values(defs: readonly CheckDef[]): Range {
  const isWhole = defs.some((def) => 'format' in def && /int/.test(String(def.format)));
  const bounds = defs.flatMap((def) => {
    if (!('check' in def) || (def.check !== 'greater_than' && def.check !== 'less_than')) return [];
    const { check, value, inclusive } = def as z.core.$ZodCheckGreaterThanDef; // or the other one
    return [{ isLeast: String(check) === 'greater_than', value: Number(value), inclusive }];
  });
  const least = bounds.filter(({ isLeast }) => isLeast).map(({ value }) => value);
  const most = bounds.filter(({ isLeast }) => !isLeast).map(({ value }) => value);
  const range = { least: Math.max(...least), most: Math.min(...most) };
  const isOpen = bounds.some(
    ({ value, inclusive, isLeast }) => !inclusive && value === (isLeast ? range.least : range.most),
  );
  if (!isWhole) return { ...range, isOpen };
  return { least: Math.ceil(range.least), most: Math.floor(range.most), isOpen };
}

function numbersOf(def: object, ...names: readonly string[]): readonly number[] {
  return partsOf(def, names).filter((value) => typeof value === 'number');
}

function lengthsOf(def: object, ...names: readonly string[]): readonly number[] {
  return partsOf(def, names).flatMap((value) => (typeof value === 'string' ? [value.length] : []));
}

function partsOf(def: object, names: readonly string[]): readonly unknown[] {
  const fields = new Map<string, unknown>(Object.entries(def));
  return names.map((name) => fields.get(name));
}
