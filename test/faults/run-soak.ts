/** `npm run soak -- --minutes N [--seed SEED]`: exit status 1 if anything wrong was accepted. */
import { parseArgs } from "node:util";
import { soak } from "./soak.ts";

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
const [minutes, seed] = [Number(values.minutes ?? 10), Number(values.seed ?? 1)];
const { wrong, ...counts } = await soak({ seed, duration: minutes * 60_000, pause: 400, rotationPeriod: 40 });
process.stdout.write(`${JSON.stringify({ minutes, seed, ...counts, wrong: wrong.length }, null, 2)}\n`);
for (const what of wrong) process.stdout.write(`${what}\n`);
process.exitCode = wrong.length === 0 ? 0 : 1;
