/** Run by `npm pack` after it has packed: restores the package.json of the repository. */
import { renameSync } from 'node:fs';
import { manifestPath, savedPath } from './manifest.ts';

renameSync(savedPath, manifestPath);
