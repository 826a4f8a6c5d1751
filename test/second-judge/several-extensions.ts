/** Graphs that the two judges are not compared on yet: the first takes late extensions together, the rules each by itself (T7). */
import type { JudgeInput } from "../../src/trust/judge-input.ts";
import { endsByDate, oldEnds } from "./statements.ts";

/** Whether several self-signatures came after an end, of one key or of several: the judge takes late extensions together. */
export function hasSeveralLateExtensions({ certificates, at, ends }: JudgeInput): boolean {
  const late = certificates
    .map((one) => new Set([...endsByDate(one, at), ...oldEnds(one, at, ends?.get(one.primary.fingerprint))]))
    .filter((found) => found.size > 0);
  return late.length > 1 || late.some((found) => found.size > 1);
}
