/** Run by `npm pack` when it has packed: gives the repository its package.json back. */
import { renameSync } from 'node:fs';
import { manifestPath, savedPath } from './manifest.ts';

renameSync(savedPath, manifestPath);
