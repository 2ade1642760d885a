/** Public OpenAPI documents of several makers, in packages of npm. */

export interface TrialDocument {
  /** The name that the service gets. */
  readonly service: string;
  readonly package: string;
  /** The path of the document in the package. */
  readonly path: string;
}

export const documents: readonly TrialDocument[] = [
  {
    service: 'github',
    package: '@octokit/openapi@23.0.2',
    path: 'generated/api.github.com.json',
  },
  { service: 'figma', package: '@figma/rest-api-spec@0.43.0', path: 'openapi/openapi.yaml' },
  { service: 'blockfrost', package: '@blockfrost/openapi@0.1.93', path: 'openapi.yaml' },
  { service: 'directus', package: '@directus/specs@15.2.0', path: 'dist/openapi.json' },
  {
    service: 'dialogporten',
    package: '@digdir/dialogporten-schema@1.0.11',
    path: 'swagger.verified.json',
  },
  { service: 'galaxy', package: '@scalar/galaxy@0.6.12', path: 'dist/3.1.json' },
];
