/** Wrong rules about late extensions (T7). */
import type { WrongRule } from "./wrong-fork-rules.ts";

export const wrongExtensionRules: readonly WrongRule[] = [
  {
    name: "T7: a late extension always counts",
    file: "extension.js",
    right: "end === undefined ? facts : { ...facts, endedAt: end }",
    wrong: "facts",
  },
  {
    name: "T7: a late extension never counts",
    file: "extension.js",
    right: "looked > maxLate",
    wrong: "true",
  },
  {
    name: "T7: only the first of several ends is looked at",
    file: "extension.js",
    right: "moved.find(",
    wrong: "moved.slice(0, 1).find(",
  },
  {
    name: "T7: what the ledger knew of an end does not count",
    file: "chain.js",
    right: "input.ends ?? new Map()",
    wrong: "new Map()",
  },
  {
    name: "T7: of several ends in the ledger only the first counts",
    file: "extension.js",
    right: "...heard]",
    wrong: "...heard.slice(0, 1)]",
  },
  {
    name: "T7: an extension dated just at the end is in time",
    file: "extension.js",
    right: "if (end <= date)",
    wrong: "if (end < date)",
  },
  {
    name: "T7: a self-signature that has expired never said of the end what it said",
    file: "extension.js",
    right: "wasUsable(signature, primary, at)",
    wrong: "wasUsable(signature, primary, at) && (signature.expiresAt === undefined || signature.expiresAt > at)",
  },
  {
    name: "T7: a successor may be certified after the end",
    file: "chain.js",
    right: "weighsSince < before",
    wrong: "true",
  },
  {
    name: "T7: a successor may be certified just at the end",
    file: "chain.js",
    right: "weighsSince < before",
    wrong: "weighsSince <= before",
  },
  {
    name: "T7: of several certifications the latest says whether a successor is one",
    file: "transition.js",
    right: "Math.min(link.weighsSince, known?.weighsSince ?? Number.POSITIVE_INFINITY)",
    wrong: "link.weighs ? link.weighsSince : (known?.weighsSince ?? Number.POSITIVE_INFINITY)",
  },
  {
    name: "T7: the ways to a successor go through ancestors",
    file: "chain.js",
    right: "[key, ...[...reach(reversed, [key])].filter((one) => isReachedWithout(one, key))]",
    wrong: "[key]",
  },
  {
    name: "T7: whoever leads to the key is its ancestor",
    file: "chain.js",
    right: ".filter((one) => isReachedWithout(one, key))",
    wrong: "",
  },
  {
    name: "T7: the ways to a successor go through the key itself",
    file: "chain.js",
    right: "[key, ...[...reach(reversed, [key])].filter((one) => isReachedWithout(one, key))]",
    wrong: "[...reach(reversed, [key])].filter((one) => one !== key && isReachedWithout(one, key))",
  },
  {
    name: "T7: only what the key certified itself is a successor",
    file: "chain.js",
    right: "[...led].some((other) =>",
    wrong: "early.map(({ subject }) => subject).some((other) => !barred.has(other) &&",
  },
  {
    name: "T7: the ways to a successor go over links that hold alone",
    file: "chain.js",
    right: "() => succession(links, graph, wide, seeds, gone, input.crowded)",
    wrong: "() => succession(links, graph, graph, seeds, gone, input.crowded)",
  },
  {
    name: "T7: what was withdrawn leads to no successor",
    file: "chain.js",
    right: "link.weighs && !gone.has(link.subject)",
    wrong: "link.refusal === undefined && !gone.has(link.subject)",
  },
  {
    name: "T7: what would live by a late extension is not a successor",
    file: "extension.js",
    right: "refusePrimary(facts, at) === undefined",
    wrong: "refusePrimary(facts, at) === undefined && !late.has(facts.primary.fingerprint)",
  },
];
