/** A response: a status, headers as Node takes them, and a text that is written as it is. */

/** Header fields by their lower-case names. */
class Fields {
  /** As Node takes them. */
  readonly record: Record<string, string>;

  constructor(record: Record<string, string>) {
    this.record = record;
  }

  get(name: string): string | null {
    return this.record[name] ?? null;
  }

  set(name: string, value: string): void {
    this.record[name] = value;
  }
}

/** Headers are not checked before they are written. A web `Response` would do so, for a tenth of what a request costs. */
export class TextResponse {
  readonly status: number;
  readonly headers: Fields;
  /** `null`: there is none, as with 204 and 304. */
  readonly content: string | null;

  /** The names in `headers` are in lower case; the content's length is added when it is written. */
  constructor(content: string | null, status: number, headers: Record<string, string>) {
    this.status = status;
    this.headers = new Fields(headers);
    this.content = content;
  }
}

/** JSON that nobody may keep. */
export function jsonResponse(value: unknown, status = 200): TextResponse {
  return new TextResponse(JSON.stringify(value), status, {
    'cache-control': 'no-store',
    'content-type': 'application/json',
  });
}
