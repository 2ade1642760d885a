/** `WWW-Authenticate` (RFC 9110, 11.6.1): the challenges of a service that clients may be given. */

/** Schemes of tokens. `Basic` would open a login dialogue for the origin of the gateway. */
const passable = new Set(['bearer', 'dpop']);

const token = String.raw`[\w!#$%&'*+.^\`|~-]+`;
const quoted = String.raw`"(?:[^"\\]|\\.)*"`;
const parameter = String.raw`${token}[ \t]*=[ \t]*(?:${quoted}|${token})`;
const token68 = String.raw`[\w.~+/-]+=*(?=[ \t]*(?:,|$))`;

/** A scheme that begins a challenge, or a parameter of one: commas separate both. */
const part = new RegExp(
  String.raw`[ \t]*(?:(?<parameter>${parameter})|(?<scheme>${token})(?:[ \t]+(?:(?<first>${parameter})|(?<credentials>${token68})))?)[ \t]*(?:,|$)`,
  'y',
);

/** The Bearer and DPoP challenges of the field, as one value; `undefined` if there are none. */
export function passableChallenges(
  field: string | readonly string[] | undefined,
): string | undefined {
  const texts = typeof field === 'string' ? [field] : (field ?? []);
  const challenges = texts.flatMap(challengesIn);
  return challenges.length === 0 ? undefined : challenges.join(', ');
}

function challengesIn(text: string): readonly string[] {
  const found: { readonly scheme: string; readonly parameters: string[] }[] = [];
  part.lastIndex = 0;
  while (part.lastIndex < text.length) {
    if (/^[ \t]*,/.test(text.slice(part.lastIndex))) {
      part.lastIndex = text.indexOf(',', part.lastIndex) + 1;
      continue;
    }
    const fields = part.exec(text)?.groups;
    // The rest is malformed and cannot be understood.
    if (fields === undefined) break;
    const { scheme, first, credentials, parameter: own } = fields;
    if (scheme !== undefined)
      found.push({
        scheme,
        parameters: (first ?? credentials) ? [first ?? credentials ?? ''] : [],
      });
    else if (own !== undefined) found.at(-1)?.parameters.push(own);
  }
  return found
    .filter(({ scheme }) => passable.has(scheme.toLowerCase()))
    .map(({ scheme, parameters }) => [scheme, parameters.join(', ')].filter(Boolean).join(' '));
}
