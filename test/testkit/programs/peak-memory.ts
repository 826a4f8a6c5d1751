/** How much memory a program held. */
import { readFileSync } from "node:fs";

/**
 * The most that this process held at once, in kB. `resourceUsage().maxRSS` is no use in a child: Linux keeps what the
 * parent had when it made the child, here the whole test run. The high-water mark of the address space begins anew.
 */
export function peakMemory(): number {
  const mark = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(mark);
}
