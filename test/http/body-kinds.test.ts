/** Forms and texts as bodies of clients' requests, over sockets. */
import { defineComposition, form, text } from 'plait';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startWithMocks } from '../support/gateway-with-mocks.ts';

const fields = form(
  z.object({
    q: z.string(),
    n: z.coerce.number().optional(),
    tags: z.array(z.string()).optional(),
  }),
);

const compositions = {
  form: defineComposition({ route: 'POST /form', body: fields, compose: ({ body }) => ({ body }) }),
  text: defineComposition({ route: 'POST /text', body: text(), compose: ({ body }) => ({ body }) }),
  optional: defineComposition({
    route: 'POST /optional',
    body: text().optional(),
    compose: ({ body }) => ({ body }),
  }),
};

const formType = 'application/x-www-form-urlencoded';

async function post(path: string, type: string | undefined, body: string | Buffer | undefined) {
  const { get } = await startWithMocks({ compositions });
  const headers: Record<string, string> = type === undefined ? {} : { 'content-type': type };
  return get(path, { method: 'POST', headers, ...(body !== undefined && { body }) } as RequestInit);
}

describe('the body of a request', () => {
  it.each<[string, Parameters<typeof post>, unknown]>([
    ['a form', ['/form', formType, 'q=x+y%26&n=2&tags=a'], { q: 'x y&', n: 2, tags: ['a'] }],
    ['a form with a charset', ['/form', `${formType};charset=UTF-8`, 'q=%C3%A9'], { q: 'é' }],
    ['a text', ['/text', 'text/plain', ' a\n'], ' a\n'],
    ['a text of a byte order mark', ['/text', 'text/plain; charset=utf-8', '\ufeffa'], 'a'],
  ])('is read as %s', async (_, [path, type, body], value) => {
    expect(await post(path, type, body)).toMatchObject({ status: 200, json: { body: value } });
  });

  it('may be missing where its schema says so', async () => {
    expect(await post('/optional', undefined, undefined)).toMatchObject({ status: 200, json: {} });
  });

  it.each<[string, Parameters<typeof post>, number, string]>([
    ['JSON for a form', ['/form', 'application/json', '{}'], 415, 'a form in UTF-8: send Content'],
    ['no text', ['/text', 'image/png', 'a'], 415, 'text in UTF-8: send Content-Type: text/plain.'],
    ['another charset', ['/text', 'text/plain; charset=latin1', 'a'], 415, 'text in UTF-8'],
    ['half an escape', ['/form', formType, 'q=%'], 400, 'The body is not a form.'],
    ['no UTF-8', ['/text', 'text/plain', Buffer.from([0xe9])], 400, 'The body is not text.'],
    ['nothing', ['/form', formType, ''], 400, 'The body is missing.'],
    ['a missing field', ['/form', formType, 'n=1'], 400, 'invalid fields'],
    ['a repeated field', ['/form', formType, 'q=1&q=2'], 400, 'invalid fields'],
  ])('is refused for %s', async (_, [path, type, body], status, words) => {
    const answer = await post(path, type, body);
    expect(answer).toMatchObject({ status, json: { detail: expect.stringContaining(words) } });
  });
});
