/** The document, its schemas and the report, for writing the parts of operations. */
import type { Document } from './document.ts';
import type { Report } from './report.ts';
import type { Schemas } from './schemas.ts';

export interface Tools {
  readonly document: Document;
  readonly schemas: Schemas;
  readonly report: Report;
}
