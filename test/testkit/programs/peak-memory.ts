/** How much memory a program held. */
import { readdirSync, readFileSync } from "node:fs";

/**
 * The most that a process held at once, in kB; this one, if none is given. `resourceUsage().maxRSS` is no use in a child: Linux keeps what the
 * parent had when it made the child, here the whole test run. The high-water mark of the address space begins anew.
 */
export function peakMemory(pid = "self"): number {
  return numberOf(pid, "VmHWM");
}

function numberOf(pid: string, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1]);
}

/** The processes below this one, with the most that each held at once, in kB. */
export function peaksBelow(): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const parents = new Map(
    pids.flatMap((pid) => {
      try {
        return [[pid, String(numberOf(pid, "PPid"))] as const];
      } catch {
        // It has ended.
        return [];
      }
    }),
  );
  const isBelow = (pid: string | undefined): boolean =>
    pid !== undefined && (pid === String(process.pid) || isBelow(parents.get(pid)));
  return [...parents].filter(([, parent]) => isBelow(parent)).map(([pid]) => peakMemory(pid));
}
