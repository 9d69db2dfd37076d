/** Owns the form of a test run's output: mocha's spec form, and a last line that a machine can read. */
import Mocha from 'mocha';

class ClosingLineReporter extends Mocha.reporters.Spec {
  override epilogue(): void {
    super.epilogue();
    const {passes, failures, pending} = this.stats;
    process.stdout.write(
      `${passes} passed, ${failures} failed${pending > 0 ? `, ${pending} skipped` : ''}\n`,
    );
  }
}

// mocha takes a reporter module's default export.
// biome-ignore lint/style/noDefaultExport: see above
export default ClosingLineReporter;
