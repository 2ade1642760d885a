/** Amounts as people read them. */

/** Whole ones, unless that would say 0. */
export function kibibytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return `${Math.round(bytes / 1024).toLocaleString('en')} KiB`;
}

export function seconds(s: number): string {
  return `${s.toLocaleString('en')} s`;
}

export function milliseconds(ms: number): string {
  return `${ms.toLocaleString('en')} ms`;
}
