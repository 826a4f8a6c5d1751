// Preloaded into a run of the program: counts its steps that change the disk, and ends it with SIGKILL instead of step
// number FEEDKEY_KILL_AT (from 1). A write is cut in the middle. FEEDKEY_KILL names the functions that count, with commas,
// where not all of them shall.
import { judgeDisk } from "./disk-steps.ts";

// The compiled program is saved by the first run that may: then that one would have more steps than the others. It may be there
// before all of them, in a folder that FEEDKEY_KILL_CACHE names.
process.env.XDG_CACHE_HOME = process.env.FEEDKEY_KILL_CACHE ?? "/dev/null";

const killAt = Number(process.env.FEEDKEY_KILL_AT);
const only = process.env.FEEDKEY_KILL?.split(",");
let steps = 0;

await judgeDisk((step, begin) => {
  if (only !== undefined && !only.includes(step)) return undefined;
  steps += 1;
  if (steps !== killAt) return undefined;
  begin?.();
  process.kill(process.pid, "SIGKILL");
  return "never";
});
