/** Environment variables as they are: text, by name. */

export type Environment = Readonly<Record<string, string | undefined>>;
