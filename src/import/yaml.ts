/** YAML documents: the door to the package yaml, which is optional. */
import { ConfigurationError } from '../errors.ts';

/**
 * Returns what parses `text`.
 *
 * @throws ConfigurationError when the package is not installed.
 */
export async function parseYaml(text: string, file: string): Promise<() => unknown> {
  try {
    const { parse } = await import('yaml');
    return () => parse(text, { intAsBigInt: false });
  } catch (cause) {
    throw new ConfigurationError(
      `${file} is not JSON, and YAML needs the package yaml. Install it (npm install yaml), or ` +
        'convert the document to JSON.',
      { cause },
    );
  }
}
