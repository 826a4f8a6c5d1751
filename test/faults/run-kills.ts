/** `npm run kills -- [--count N] [--seed SEED]`: exit status 1 if a kill left anything wrong. */
import { parseArgs } from "node:util";
import { killMany } from "./kills.ts";

const { values } = parseArgs({ options: { count: { type: "string" }, seed: { type: "string" } } });
const [count, seed] = [Number(values.count ?? 1000), Number(values.seed ?? 1)];
let isOver = false;
// A limit on the time, such as that of timeout(1), does not lose what was found.
process.once("SIGTERM", () => {
  isOver = true;
});
const { wrong, ...counts } = await killMany(count, seed, () => isOver);
process.stdout.write(`${JSON.stringify({ count, seed, ...counts, wrong: wrong.length }, null, 2)}\n`);
for (const what of wrong) process.stdout.write(`${what}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
