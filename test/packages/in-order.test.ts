/** Work on several items at once. */
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { inOrder } from "../../src/packages/compression/in-order.ts";

describe("work on several items at once", () => {
  it("yields the results in the order of the items", async () => {
    const results: number[] = [];
    for await (const one of inOrder([3, 1, 2], 2, async (item) => await sleep(item, item))) results.push(one);
    expect(results).to.deep.equal([3, 1, 2]);
  });

  it("throws what a later item throws, which nobody awaits yet, after all work has ended", async () => {
    const unhandled: unknown[] = [];
    const before = process.listeners("unhandledRejection");
    process.removeAllListeners("unhandledRejection").on("unhandledRejection", (reason) => unhandled.push(reason));
    let ended = 0;
    try {
      const all = inOrder([0, 1, 2], 3, async (item) => {
        if (item === 1) throw new Error("the second");
        await sleep(5 + item);
        ended += 1;
      });
      const outcome = await (async () => {
        for await (const done of all) void done;
      })().catch((error: Error) => error.message);
      expect(outcome).to.equal("the second");
    } finally {
      process.removeAllListeners("unhandledRejection");
      for (const listener of before) process.on("unhandledRejection", listener);
    }
    expect({ ended, unhandled }).to.deep.equal({ ended: 2, unhandled: [] });
  });
});
