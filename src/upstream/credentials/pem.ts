/** Whether texts are certificates and keys, which is found out at start-up. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

/** The rest of a sentence that says why a text is no certificate. */
export function certificateProblem(text: string): string | undefined {
  try {
    // Of a chain or a bundle, it reads the first one.
    void new X509Certificate(text);
    return undefined;
  } catch {
    return 'is not a certificate in PEM form';
  }
}

/** The same for a private key. It never quotes the text. */
export function privateKeyProblem(text: string): string | undefined {
  try {
    createPrivateKey(text);
    return undefined;
  } catch {
    return 'is not a private key in PEM form, or is encrypted';
  }
}
