/** What became of a key in a plan, spelled out as changes to it. */
import type { Instant } from "../../src/time.ts";
import type { Change, Fate, Nth, SelfTraits, SignatureTraits } from "./graph-plan.ts";
import { daysAgo } from "./moments.ts";

const good: SignatureTraits = {
  createdAt: daysAgo(400),
  expiresAt: undefined,
  hash: "sha256",
  unknownCritical: false,
  exportable: true,
};

/** A self-signature of a day, by which the key ends on another. */
function says(key: Nth, createdAt: Instant, keyExpiresAt: Instant | undefined, instead = false): Change {
  const traits: SelfTraits = { ...good, createdAt, keyExpiresAt, flags: { certify: true, sign: true } };
  return { kind: "self-signature", key, userId: 0, traits, instead };
}

function ends(key: Nth, end: Instant): Change {
  return says(key, daysAgo(400), end, true);
}

/** A first self-signature that ends itself. */
function said(key: Nth, keyExpiresAt: Instant, expiresAt: Instant): Change {
  const traits: SelfTraits = { ...good, expiresAt, keyExpiresAt, flags: { certify: true, sign: true } };
  return { kind: "self-signature", key, userId: 0, traits, instead: true };
}

function retires(key: Nth, createdAt: Instant): Change {
  return { kind: "revocation", key, hard: false, traits: { ...good, createdAt } };
}

/** The changes to a key that a fate stands for. */
export function changesOf({ key, fate }: { readonly key: Nth; readonly fate: Fate }): Change[] {
  switch (fate) {
    case "expired":
      return [ends(key, daysAgo(50))];
    case "expired early":
      return [ends(key, daysAgo(250))];
    case "retired":
      return [retires(key, daysAgo(50))];
    case "retired early":
      return [retires(key, daysAgo(250))];
    case "weak":
      return [{ kind: "algorithm", key, algorithm: "dsa", bits: 3072 }];
    case "cut short":
      // What it said at first has expired by now: it was said all the same.
      return [said(key, daysAgo(50), daysAgo(30)), says(key, daysAgo(60), daysAgo(250))];
    case "extended on time":
      return [ends(key, daysAgo(50)), says(key, daysAgo(60), undefined)];
    case "extended late":
      return [ends(key, daysAgo(250)), says(key, daysAgo(220), undefined)];
    case "extended late once":
      return [ends(key, daysAgo(250)), says(key, daysAgo(220), daysAgo(50))];
    case "extended late twice":
      // The second time just at the end.
      return [ends(key, daysAgo(250)), says(key, daysAgo(220), daysAgo(50)), says(key, daysAgo(50), undefined)];
  }
}
