/** Environment variables: text, by name. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** `PORT=` in a file of variables means that it is not set. */
export function withoutBlank(environment: Environment): Environment {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
}
