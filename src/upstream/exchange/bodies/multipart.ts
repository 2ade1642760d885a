/** Bodies of parts (`multipart/form-data`, RFC 7578): texts and files, by name. */
import { isBytes } from '../../../bytes.ts';

/** A part: a text, or the bytes of a file with their type. */
export type Part = readonly [name: string, value: unknown];

/** `textOf` gives the text of a part that is no file. */
export function writeParts(
  parts: readonly Part[],
  textOf: (part: Part) => string,
): { readonly content: Buffer; readonly type: string } {
  // Random, so that not even a part which a client has chosen can contain it.
  const boundary = `plait-${crypto.randomUUID()}`;
  const content = parts.flatMap((part) => [
    Buffer.from(`--${boundary}\r\n${headOf(part)}\r\n\r\n`),
    isBytes(part[1]) ? part[1].content : Buffer.from(textOf(part)),
    Buffer.from('\r\n'),
  ]);
  return {
    content: Buffer.concat([...content, Buffer.from(`--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

/** A file is known by having a name; many servers take it for a text without one. */
function headOf([name, value]: Part): string {
  const disposition = `Content-Disposition: form-data; name="${escaped(name)}"`;
  return isBytes(value)
    ? `${disposition}; filename="${escaped(name)}"\r\nContent-Type: ${value.type}`
    : disposition;
}

/** As browsers do it: a quotation mark or a line end would end the name. */
function escaped(name: string): string {
  return name.replaceAll('"', '%22').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}
