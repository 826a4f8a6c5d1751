// Preloaded into a run of the program: tells at its end how much memory it held at most.
import { peakMemory } from "./peak-memory.ts";

process.on("exit", () => {
  process.stderr.write(`peak memory ${peakMemory()} kB\n`);
});
