/** Reads `Link` headers (RFC 8288, 3): addresses, and their relations to the page they stand in. */

/** The addresses of next pages, each once; `undefined` if the text does not fit the grammar. */
export type NextLinks = readonly string[] | undefined;

const optionalSpace = String.raw`[\t ]*`;
const token = String.raw`[!#$%&'*+.^_\`|~0-9A-Za-z-]+`;
const quoted = String.raw`"(?:[^"\\]|\\.)*"`;

/** Sticky: each matches where the one before has ended. */
const gap = /[\t ,]*/y;
const target = /<([^<>]*)>/y;
const parameter = new RegExp(
  `${optionalSpace};${optionalSpace}(?:(${token})${optionalSpace}` +
    `(?:=${optionalSpace}(${token}|${quoted}))?)?`,
  'y',
);
const end = new RegExp(`${optionalSpace}(?:,|$)`, 'y');

/**
 * The addresses with the relation `next`. A link with an `anchor` is about another resource, so it
 * is none.
 */
export function nextLinks(text: string): NextLinks {
  const found = new Set<string>();
  let at = skip(gap, text, 0);
  while (at < text.length) {
    const link = linkAt(text, at);
    if (link === undefined) return undefined;
    if (
      link.rel
        ?.toLowerCase()
        .split(/[\t ]+/)
        .includes('next') &&
      !link.isAnchored
    )
      found.add(link.address);
    at = skip(gap, text, link.endsAt);
  }
  return [...found];
}

interface Link {
  readonly address: string;
  readonly rel: string | undefined;
  readonly isAnchored: boolean;
  readonly endsAt: number;
}

function linkAt(text: string, start: number): Link | undefined {
  target.lastIndex = start;
  const address = target.exec(text)?.[1];
  if (address === undefined) return undefined;
  let at = target.lastIndex;
  let rel: string | undefined;
  let isAnchored = false;
  for (;;) {
    parameter.lastIndex = at;
    const found = parameter.exec(text);
    if (found === null) break;
    at = parameter.lastIndex;
    const [, name = '', value = ''] = found;
    // Only the first `rel` counts (RFC 8288, 3.3).
    if (name.toLowerCase() === 'rel') rel ??= unquoted(value);
    isAnchored ||= name.toLowerCase() === 'anchor';
  }
  end.lastIndex = at;
  return end.test(text)
    ? { address: address.trim(), rel, isAnchored, endsAt: end.lastIndex }
    : undefined;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replaceAll(/\\(.)/g, '$1') : value;
}

function skip(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  pattern.test(text);
  return pattern.lastIndex;
}
