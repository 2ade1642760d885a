import { randomInt } from 'node:crypto';
import { defineConfig } from 'vitest/config';

/** What starts programs, compilers or servers of its own, and whole gateways under load. */
const processTests = ['test/{acceptance,cli,soak}/**/*.test.ts', 'test/**/*.process.test.ts'];

// The same for all workers, which inherit it, and for the reporter, which prints it.
process.env['PROPERTY_SEED'] ||= String(randomInt(2 ** 31));

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: processTests },
      },
      { extends: true, test: { name: 'process', include: processTests } },
    ],
    setupFiles: ['test/support/setup.ts'],
    // Some properties try 10,000 cases or more in `npm run test:long`.
    testTimeout: process.env['PROPERTIES'] === 'long' ? 600_000 : 20_000,
    // The package imports itself by name; node resolves that, so the sources are left to node.
    server: { deps: { external: [] } },
  },
});
