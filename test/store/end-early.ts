// Ends with temporary files of its own: node end-early.js FOLDER SIGNAL, or `exit`
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { stageFile, writeFileAtomic } from "../../src/files/atomic.ts";
import { stageStream } from "../../src/files/staged-stream.ts";

const [folder = "", how = ""] = process.argv.slice(2);
await writeFileAtomic(join(folder, "done"), "x");
await stageFile(join(folder, "staged"), "x");
const stream = await stageStream(join(folder, "begun"));
await stream.write(Buffer.from("x"));
if (how === "exit") process.exit(3);
process.kill(process.pid, how);
await setTimeout(10_000);
