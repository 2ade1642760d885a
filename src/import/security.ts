/** Security schemes → the credentials of a service. */
import { whyNotOwn } from '../dsl/forward.ts';
import { parseTokenUrl } from '../url.ts';
import { fields, invoke, list, quoted } from './code.ts';
import type { Code, Field } from './code.ts';
import { child, children, textAt } from './document.ts';
import type { Document, Part } from './document.ts';
import { constantCase } from './names.ts';
import type { Finding } from './report.ts';

/** The options of a service that send what one requirement asks for. */
export interface Credentials {
  /** The names of its schemes: equal ones are one. */
  readonly id: string;
  readonly options: readonly Field[];
  /** Remarks for the report. */
  readonly notes: readonly Finding[];
}

/** The credentials of an operation: none, or one of the alternatives that can be written. */
export type Security =
  | 'none'
  | { readonly alternatives: readonly Credentials[]; readonly problems: readonly Finding[] };

export interface SecurityOptions {
  readonly document: Document;
  readonly service: string;
}

/** The credentials that an operation asks for; by default, those that the document does. */
export function securityOf(operation: Part, options: SecurityOptions): Security {
  const { root } = options.document;
  const alternatives = children(child(operation, 'security') ?? child(root, 'security'));
  const required = alternatives.filter((one) => children(one).length > 0);
  if (required.length === 0) return 'none';
  const all = required.map((one) => credentialsOf(one, options));
  return {
    alternatives: all.flatMap((one) => ('options' in one ? [one] : [])),
    problems: all.flatMap((one) => ('options' in one ? [] : one.problems)),
  };
}

/** The credentials that most operations can use; `undefined` if none needs any. */
export function mostUsed(all: readonly Security[]): Credentials | undefined {
  const wanted = all.flatMap((one) => (one === 'none' ? [] : one.alternatives));
  const count = ({ id }: Credentials): number => wanted.filter((one) => one.id === id).length;
  const [first] = wanted.toSorted((a, b) => count(b) - count(a));
  return first;
}

/** One requirement: all of its schemes together, or why they cannot be written. */
function credentialsOf(
  requirement: Part,
  options: SecurityOptions,
): Credentials | { readonly problems: readonly Finding[] } {
  const found = children(requirement).map(({ key: name, value, pointer }) => {
    const declared = child(options.document.root, 'components', 'securitySchemes', name);
    if (declared === undefined) return { pointer, detail: 'is not declared: no credentials' };
    const scopes = Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
    return schemeOf(options.document.follow(declared), scopes, options);
  });
  const problems = found.flatMap((one) => ('detail' in one ? [one] : []));
  if (problems.length > 0) return { problems };
  const schemes = found.flatMap((one) => ('detail' in one ? [] : [one]));
  return {
    id: children(requirement)
      .map((one) => one.key)
      .join(' + '),
    options: together(schemes),
    notes: schemes.flatMap((one) => one.note ?? []),
  };
}

interface Scheme {
  readonly option: Field;
  /** The header of a key: a second key is a header of the service. */
  readonly header?: Field;
  readonly note?: Finding;
}

/** The first stands in `auth`, further keys in `headers`. */
function together(schemes: readonly Scheme[]): readonly Field[] {
  const first = schemes.find(({ header }) => header === undefined) ?? schemes[0];
  if (first === undefined) return [];
  const headers = schemes.flatMap((one) => (one === first ? [] : (one.header ?? [])));
  const isComplete = headers.length === schemes.length - 1;
  if (!isComplete || headers.length === 0) return [first.option];
  return [first.option, { name: 'headers', value: fields(...headers) }];
}

function schemeOf(
  scheme: Part,
  scopes: readonly string[],
  { service }: SecurityOptions,
): Scheme | Finding {
  const { pointer } = scheme;
  const variable = (name: string): Code => fromEnvironment(`${constantCase(service)}_${name}`);
  const type = textAt(scheme, 'type');
  if (type === 'http') {
    const word = textAt(scheme, 'scheme')?.toLowerCase();
    if (word === 'bearer') return auth(invoke('bearer', variable('TOKEN')));
    if (word === 'basic') {
      const user = { name: 'user', value: variable('USER') };
      const password = { name: 'password', value: variable('PASSWORD') };
      return auth(invoke('basic', fields(user, password)));
    }
    return { pointer, detail: `HTTP scheme "${word ?? ''}" is not known: no credentials` };
  }
  if (type === 'apiKey') return key(scheme, variable('KEY'));
  const flow = child(scheme, 'flows', 'clientCredentials');
  if (flow !== undefined) return auth(token(flow, scopes, variable));
  if (type === 'oauth2' || type === 'openIdConnect') {
    const detail = "its tokens belong to users: the caller's authorization is forwarded";
    const option = { name: 'forward', value: list([quoted('authorization')]) };
    return { option, note: { pointer, detail } };
  }
  return { pointer, detail: `security scheme "${type ?? ''}" is not known: no credentials` };
}

function auth(value: Code): Scheme {
  return { option: { name: 'auth', value } };
}

function key(scheme: Part, source: Code): Scheme | Finding {
  const { pointer } = scheme;
  const place = textAt(scheme, 'in');
  const name = textAt(scheme, 'name') ?? '';
  if (place === 'header') {
    const header = name.toLowerCase();
    const reason = whyNotOwn(header);
    if (reason !== undefined)
      return { pointer, detail: `a key in header "${header}" is not sent: ${reason}` };
    const where = fields({ name: 'header', value: quoted(header) });
    return {
      option: { name: 'auth', value: invoke('apiKey', source, where) },
      header: { name: header, value: source },
    };
  }
  if (place === 'query') {
    const where = fields({ name: 'query', value: quoted(name) });
    return { option: { name: 'auth', value: invoke('apiKey', source, where) } };
  }
  return { pointer, detail: 'a key in a cookie is not sent: no credentials' };
}

function token(flow: Part, scopes: readonly string[], variable: (name: string) => Code): Code {
  const url = textAt(flow, 'tokenUrl') ?? '';
  const options: Field[] = [
    {
      name: 'tokenUrl',
      value: parseTokenUrl(url) === undefined ? variable('TOKEN_URL') : quoted(url),
    },
    { name: 'clientId', value: variable('CLIENT_ID') },
    { name: 'clientSecret', value: variable('CLIENT_SECRET') },
  ];
  const words = scopes.filter((scope) => /^[\x21-\x7e]+$/.test(scope)).join(' ');
  if (words !== '') options.push({ name: 'scope', value: quoted(words) });
  return invoke('clientCredentials', fields(...options));
}

function fromEnvironment(name: string): Code {
  return fields({ name: 'env', value: quoted(name) });
}
