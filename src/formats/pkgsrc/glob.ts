/** Matches texts against shell wildcards, like fnmatch(3): `*`, `?`, `[a-z]`, `[!a-z]`. */

/** Whether a text matches a pattern. The time is at most proportional to the product of both lengths. */
export function matchesGlob(text: string, pattern: string): boolean {
  const steps = pattern.match(/\[!?\]?[^\]]*\]|[\s\S]/g) ?? [];
  let [at, step] = [0, 0];
  // The place to continue at if the text after the last star does not match.
  let [starAt, starStep] = [-1, -1];
  while (at < text.length) {
    const wanted = steps[step];
    if (wanted === "*") [starAt, starStep, step] = [at, step, step + 1];
    else if (wanted !== undefined && fits(text[at] ?? "", wanted)) [at, step] = [at + 1, step + 1];
    else if (starStep < 0) return false;
    else [starAt, at, step] = [starAt + 1, starAt + 1, starStep + 1];
  }
  return steps.slice(step).every((one) => one === "*");
}

function fits(letter: string, step: string): boolean {
  if (step === "?") return true;
  if (step.length === 1) return step === letter;
  const isOther = step[1] === "!";
  const set = step.slice(isOther ? 2 : 1, -1);
  let isIn = false;
  for (let at = 0; at < set.length; at++) {
    const first = set[at] ?? "";
    const isRange = set[at + 1] === "-" && at + 2 < set.length;
    const last = isRange ? (set[at + 2] ?? "") : first;
    if (letter >= first && letter <= last) isIn = true;
    if (isRange) at += 2;
  }
  return isIn !== isOther;
}
