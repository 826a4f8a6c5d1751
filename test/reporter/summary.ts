/**
 * How a test run is told: one line for each group of tests, failures in full, and last of all one plain line
 * `N passed, N failed, N skipped` for whoever counts, person or program.
 */
import Mocha from "mocha";

const { Base } = Mocha.reporters;
const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_END, EVENT_TEST_FAIL, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

export default class Summary extends Base {
  readonly #skipped: string[] = [];
  /** How many suites are open: the nameless root, then a group. */
  #depth = 0;
  #count = 0;
  #ms = 0;

  /**
   * Where files run in parallel, a file's events come when the whole file has ended. So a group's time is the sum of its tests'.
   * @param runner whose events are told
   */
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (!suite.root) this.#depth++;
      if (this.#depth > 1 || suite.root) return;
      this.#count = 0;
      this.#ms = 0;
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (suite.root) return;
      this.#depth--;
      if (this.#depth === 0) this.#tellGroup(suite.title);
    });
    runner.on(EVENT_TEST_END, (test) => {
      this.#count++;
      this.#ms += test.duration ?? 0;
    });
    runner.on(EVENT_TEST_PENDING, (test) => this.#skipped.push(test.fullTitle()));
    runner.on(EVENT_TEST_FAIL, (test) => process.stdout.write(`FAILED  ${test.fullTitle()}\n`));
    runner.on(EVENT_RUN_END, () => this.#tellEnd());
  }

  #tellGroup(title: string): void {
    process.stdout.write(`${String(this.#count).padStart(5)}  ${title} (${Math.round(this.#ms)} ms)\n`);
  }

  #tellEnd(): void {
    if (this.failures.length > 0) Base.list(this.failures);
    for (const title of this.#skipped) process.stdout.write(`skipped  ${title}\n`);
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`\n${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
}
