/** Prints the seed of property tests and what tests have measured, and ends the output with a line that counts the tests. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

export default class CountReporter implements Reporter {
  onInit(): void {
    const seed = process.env['PROPERTY_SEED'];
    process.stdout.write(`Property tests: PROPERTY_SEED=${seed} repeats their new cases\n`);
  }

  onTestCaseAnnotate({ fullName }: TestCase, { message }: { readonly message: string }): void {
    process.stdout.write(`Measured: ${fullName}: ${message}\n`);
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string): number =>
      tests.filter((test) => test.result().state === state).length;
    const broken = modules.filter((module) => module.errors().length > 0).length;
    // Vitest prints its own summary after the reporters have run; this line has to come last.
    process.once('exit', () => {
      const failed = count('failed') + broken;
      process.stdout.write(
        `\n${count('passed')} passed, ${failed} failed, ${count('skipped')} skipped\n`,
      );
    });
  }
}
