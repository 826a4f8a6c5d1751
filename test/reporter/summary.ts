/**
 * How a test run is told: one line for each group of tests, failures in full, and last of all one plain line
 * `N passed, N failed, N skipped` for whoever counts, person or program.
 */
import Mocha from "mocha";

const { Base } = Mocha.reporters;
const { EVENT_RUN_END, EVENT_SUITE_BEGIN, EVENT_SUITE_END, EVENT_TEST_FAIL, EVENT_TEST_PENDING } =
  Mocha.Runner.constants;

/** A group: a suite right below the nameless root. */
function isGroup(suite: Mocha.Suite): boolean {
  return suite.parent?.root === true;
}

export default class Summary extends Base {
  readonly #skipped: string[] = [];
  #startedAt = 0;

  /** @param runner whose events are told */
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    runner.on(EVENT_SUITE_BEGIN, (suite) => {
      if (isGroup(suite)) this.#startedAt = performance.now();
    });
    runner.on(EVENT_SUITE_END, (suite) => {
      if (isGroup(suite)) this.#tellGroup(suite);
    });
    runner.on(EVENT_TEST_PENDING, (test) => this.#skipped.push(test.fullTitle()));
    runner.on(EVENT_TEST_FAIL, (test) => process.stdout.write(`FAILED  ${test.fullTitle()}\n`));
    runner.on(EVENT_RUN_END, () => this.#tellEnd());
  }

  #tellGroup(suite: Mocha.Suite): void {
    let count = 0;
    suite.eachTest(() => {
      count += 1;
    });
    const ms = Math.round(performance.now() - this.#startedAt);
    process.stdout.write(`${String(count).padStart(5)}  ${suite.title} (${ms} ms)\n`);
  }

  #tellEnd(): void {
    if (this.failures.length > 0) Base.list(this.failures);
    for (const title of this.#skipped) process.stdout.write(`skipped  ${title}\n`);
    const { passes, failures, pending } = this.stats;
    process.stdout.write(`\n${passes} passed, ${failures} failed, ${pending} skipped\n`);
  }
}
