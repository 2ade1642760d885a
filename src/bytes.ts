/** Bodies that are passed on as they are: nothing looks into them. */
import { createHash } from 'node:crypto';
import { headerValueProblem } from './header-value.ts';
import { NotJsonError } from './json-value.ts';

declare const opaque: unique symbol;

/** A body as a service has sent it, with its type. It has no fields, and JSON cannot carry it. */
export interface Bytes {
  readonly [opaque]: never;
}

class HeldBytes {
  readonly #content: Buffer;
  readonly #type: string;
  #digest: string | undefined;

  constructor(content: Buffer, type: string) {
    this.#content = content;
    this.#type = type;
  }

  get content(): Buffer {
    return this.#content;
  }

  get type(): string {
    return this.#type;
  }

  /** Equal for bodies of equal bytes and types. */
  get digest(): string {
    return (this.#digest ??= createHash('sha256')
      .update(`${this.#type}\n`)
      .update(this.#content)
      .digest('base64url'));
  }

  toJSON(): never {
    throw new NotJsonError('bytes', []);
  }
}

/** Holds the body of an answer; a type that no header can carry is as good as none. */
export function holdBytes(content: Buffer, type: string | undefined): object {
  const isUsable = type !== undefined && type !== '' && headerValueProblem(type) === undefined;
  return new HeldBytes(content, isUsable ? type : 'application/octet-stream');
}

/** Whether a value is such a body, which then has its content, its type and a digest of both. */
export function isBytes(value: unknown): value is Bytes & HeldBytes {
  return value instanceof HeldBytes;
}
