/** The body of an answer that is not JSON, by the kind that its operation declares. */
import type { z } from 'zod';
import { holdBytes } from '../../../bytes.ts';
import type { BodyKind, BodyKindName, CsvKind } from '../../../dsl/body-kind.ts';
import type { Operation } from '../../../dsl/operation.ts';
import { NotFormError, parseForm } from '../../../form.ts';
import { withoutByteOrderMark } from '../../../utf8.ts';
import { oncePerSchema } from '../../../once-per-schema.ts';
import { declaredFields, itemOf, coercesEmptyText, saysOptional } from '../../../schema.ts';
import { callError } from '../../call.ts';
import type { RawReply } from '../transport.ts';
import { NotXmlError, parseXml } from '../../../xml.ts';
import { charsetOf } from '../../../charset.ts';
import { NotCsvError, parseCsv } from './csv.ts';
import type { Columns } from './csv.ts';
import { textOf } from './text.ts';

interface Called {
  readonly operation: Operation;
}

/**
 * The value of a body for the schema of the response; all parts of it are texts.
 *
 * @throws UpstreamError of kind `invalid-body`, which quotes nothing of the body.
 */
export function readBody(
  call: Called,
  { headers, body }: Pick<RawReply, 'headers' | 'body'>,
  kind: Exclude<BodyKind, { kind: 'json' }>,
  schema: z.ZodType,
): unknown {
  const type = headers['content-type']?.toString();
  if (kind.kind === 'bytes') return holdBytes(body, type);
  refuseType(call, kind.kind, type);
  const declared = kind.kind === 'xml' ? withEncoding(headers, body) : headers;
  const text = body.length === 0 ? '' : withoutByteOrderMark(textOf(call, declared, body));
  switch (kind.kind) {
    case 'form':
      return formOf(call, schema, text);
    case 'text':
      return text;
    case 'csv':
      return tableOf(call, kind, { schema, text });
    case 'xml':
      return documentOf(call, schema, text);
    case 'multipart':
      throw new Error('multipart() is refused as a response');
    default:
      return kind satisfies never;
  }
}

function formOf(call: Called, schema: z.ZodType, text: string): unknown {
  try {
    return parseForm(schema, text);
  } catch (error) {
    if (!(error instanceof NotFormError)) throw error;
    throw callError(call, 'invalid-body', `its body ${error.message}`, { reached: 'body' });
  }
}

function documentOf(call: Called, schema: z.ZodType, text: string): unknown {
  try {
    return parseXml(schema, text, call.operation.policies.maxDepth);
  } catch (error) {
    if (!(error instanceof NotXmlError)) throw error;
    throw callError(call, 'invalid-body', `its body ${error.message}`, { reached: 'body' });
  }
}

/** The headers, with the charset that the document names if they name none (RFC 7303, 3). */
function withEncoding(headers: RawReply['headers'], body: Buffer): RawReply['headers'] {
  const type = headers['content-type']?.toString() ?? '';
  const [, encoding] =
    /^<\?xml\s[^>]*?\sencoding\s*=\s*["']([\w.-]+)["']/.exec(
      body.subarray(0, 200).toString('latin1'),
    ) ?? [];
  if (encoding === undefined || charsetOf(type) !== undefined) return headers;
  return { ...headers, 'content-type': `${type};charset=${encoding}` };
}

function tableOf(
  call: Called,
  kind: CsvKind,
  { schema, text }: { readonly schema: z.ZodType; readonly text: string },
): unknown {
  try {
    return parseCsv(text, kind, columnsOf(schema));
  } catch (error) {
    if (!(error instanceof NotCsvError)) throw error;
    throw callError(call, 'invalid-body', `its body ${error.message}`, { reached: 'body' });
  }
}

const columnsOf = oncePerSchema((schema): Columns => {
  const fields = Object.entries(declaredFields(itemOf(schema, 'in'), 'in'));
  const absent = fields.filter(([, field]) => saysOptional(field) || coercesEmptyText(field));
  return {
    names: fields.map(([name]) => name),
    mayBeAbsent: new Set(absent.map(([name]) => name)),
  };
});

/** The media types of answers that can be of a kind. An answer may leave out its type. */
const readable: Readonly<Record<Exclude<BodyKindName, 'json' | 'bytes'>, RegExp>> = {
  xml: /^(?:application|text)\/(?:[\w.+-]+\+)?xml$/,
  multipart: /^multipart\//,
  form: /^(?:application\/x-www-form-urlencoded|text\/plain)$/,
  // Many servers know no type for files that end in .csv.
  csv: /^(?:text\/(?!html$|xml$)[\w.+-]+|application\/(?:csv|vnd\.ms-excel|octet-stream))$/,
  text: /^(?!(?:image|audio|video|font|multipart)\/|application\/octet-stream$)/,
};

function refuseType(call: Called, kind: keyof typeof readable, contentType = ''): void {
  const [type = ''] = contentType.toLowerCase().split(';');
  const essence = type.trim();
  if (essence === '' || readable[kind].test(essence)) return;
  const shown = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(essence) ? essence : 'an unreadable type';
  throw callError(call, 'invalid-body', `answered ${shown}, which is not a body of ${kind}()`, {
    reached: 'body',
  });
}
