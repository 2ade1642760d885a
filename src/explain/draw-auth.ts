/** The clients that may ask, in words, for the tree and for Mermaid. */
import type { ExplainedAuth, ExplainedPlan } from './explain.ts';

/** `auth JWT of https://id.example.com · scope orders:read · any of the roles admin, clerk` */
export function shownAuth(auth: NonNullable<ExplainedPlan['auth']>): string {
  if (auth === 'none') return 'auth none';
  const { by, scopes, roles } = auth;
  const words = [
    `auth ${by.join(' or ')}`,
    ...demandOf('scope', scopes),
    ...demandOf('role', roles),
  ];
  return words.join(' · ');
}

function demandOf(kind: string, demand: ExplainedAuth['scopes']): string[] {
  return Object.entries(demand ?? {}).map(([mode, names]) =>
    names.length === 1 ? `${kind} ${names[0]}` : `${mode} of the ${kind}s ${names.join(', ')}`,
  );
}
