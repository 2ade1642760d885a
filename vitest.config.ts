import { randomInt } from 'node:crypto';
import { defineConfig } from 'vitest/config';

/** What starts programs, compilers or servers of its own, and whole gateways under load. */
const processTests = ['test/{acceptance,cli,soak}/**/*.test.ts', 'test/**/*.process.test.ts'];

// Tests set what telemetry reads, and ask no proxy: the variables of a shell stay out of them.
for (const name of Object.keys(process.env))
  if (/^OTEL_|_PROXY$/i.test(name)) delete process.env[name];

// The same for all workers, which inherit it, and for the reporter, which prints it.
process.env['PROPERTY_SEED'] ||= String(randomInt(2 ** 31));

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: processTests,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      // Not beside the others: their programs need the core that vitest leaves free.
      {
        extends: true,
        test: { name: 'process', include: processTests, sequence: { groupOrder: 1 } },
      },
    ],
    setupFiles: ['test/support/setup.ts'],
    // No test is to fail because the machine is slow or busy, so these end tests that hang, only.
    // Some properties try 10,000 cases or more in `npm run test:long`.
    testTimeout: process.env['PROPERTIES'] === 'long' ? 600_000 : 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000, interval: 10 } },
    // The package imports itself by name; node resolves that, so the sources are left to node.
    server: { deps: { external: [] } },
  },
});
