/** The text of a file as it was a second ago at most, so that what it lacks now is not valid. */
import type { Clock } from '../../clock.ts';
import type { Secret } from '../../upstream/credentials/secrets.ts';

const recentMs = 1_000;

/** A promise when it is time to look at the file again, and while that takes. */
export function recentText(secret: Secret, clock: Clock): () => string | Promise<string> {
  let lookedAt = clock.now();
  let look: Promise<void> | undefined;
  return function textNow() {
    if (look === undefined) {
      if (clock.now() - lookedAt < recentMs) return secret.text();
      lookedAt = clock.now();
      look = secret.lookAgain().finally(() => (look = undefined));
    }
    return look.then(() => secret.text());
  };
}
