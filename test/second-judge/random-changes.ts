/** Random changes to certificates that are all right: facts just beside a limit, and some far off. */
import fc from "fast-check";
import { archiveName } from "./build-graph.ts";
import type { Change, SelfTraits, SignatureTraits } from "./graph-plan.ts";
import { besidePast, future, limits, past } from "./moments.ts";

const anyInstant = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...past) },
  { weight: 3, arbitrary: fc.constantFrom(...limits) },
  { weight: 2, arbitrary: fc.constantFrom(...besidePast) },
  { weight: 1, arbitrary: fc.constantFrom(...future) },
);
const never = fc.constant(undefined);
const seldom = fc.integer({ min: 0, max: 7 }).map((roll) => roll === 7);
const coin = fc.boolean();
/** A key by its number, which the graph's size may cut down. */
export const anyKey = fc.nat({ max: 11 });

const hash = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("sha256", "sha384", "sha512", "sha3-256", "sha3-512") },
  { weight: 1, arbitrary: fc.constantFrom("sha1", "md5", "ripemd160", "sha224", "unknown") },
);

export const anyTraits: fc.Arbitrary<SignatureTraits> = fc.record({
  createdAt: fc.oneof({ weight: 9, arbitrary: anyInstant }, { weight: 1, arbitrary: never }),
  expiresAt: fc.oneof({ weight: 5, arbitrary: never }, { weight: 2, arbitrary: anyInstant }),
  hash,
  unknownCritical: seldom,
  exportable: seldom.map((not) => !not),
});

const selfTraits: fc.Arbitrary<SelfTraits> = fc
  .record({
    traits: anyTraits,
    keyExpiresAt: fc.oneof(never, anyInstant),
    flags: fc.option(fc.record({ certify: fc.constantFrom(true, true, false), sign: coin }), { nil: undefined }),
  })
  .map(({ traits, ...rest }) => ({ ...traits, ...rest }));

const text = fc.constantFrom(
  archiveName,
  "Other Name <archive@example.org>",
  "<archive@example.org>",
  "archive@example.org",
  "Žilina Archive <archive@example.org> ",
  "Žilina Archive <archive@example.org>.evil",
  "Žilina Archive <archive@example.org.evil>",
  "Žilina Archive <xarchive@example.org>",
  "Žilina Archive <Archive@example.org>",
  "Zilina Archive <archive@example.org>",
  "Žilina Archive <archive@example.org> <other@example.org>",
  "Other <other@example.org> <archive@example.org>",
  "Other < Name <archive@example.org>",
  "Other > Name <archive@example.org>",
  "Other <archive@example.org>>",
  "Somebody <somebody@example.org>",
);

const algorithm = fc.constantFrom(
  ["ed25519", 255] as const,
  ["eddsaLegacy", 255] as const,
  ["ed448", 448] as const,
  ["ecdsa", 256] as const,
  ["rsa", 4096] as const,
  ["rsa", 3072] as const,
  ["rsa", 3071] as const,
  ["rsa", 2048] as const,
  ["rsa", 2048] as const,
  ["rsa", 2047] as const,
  ["rsa", 1024] as const,
  ["dsa", 3072] as const,
  ["unknown", 0] as const,
);

const maker = seldom.map((not) => (not ? "subkey" : "primary"));
const userId = fc.constantFrom(0, 0, 0, 1);
const foreign = fc.record({ issuer: anyKey, key: anyKey, userId, maker, traits: anyTraits });

function change<K extends Change["kind"]>(
  kind: K,
  rest: fc.Arbitrary<Omit<Extract<Change, { kind: K }>, "kind">>,
  weight = 1,
): fc.WeightedArbitrary<Change> {
  return { weight, arbitrary: rest.map((facts) => ({ kind, ...facts }) as Extract<Change, { kind: K }>) };
}

/** One change; which keys it is about is a suggestion. */
export const anyChange: fc.Arbitrary<Change> = fc.oneof(
  change("created", fc.record({ key: anyKey, at: anyInstant })),
  change(
    "algorithm",
    fc.tuple(anyKey, algorithm).map(([key, [name, bits]]) => ({ key, algorithm: name, bits })),
  ),
  change("user-id", fc.record({ key: anyKey, text, instead: coin })),
  change("self-signature", fc.record({ key: anyKey, userId, traits: selfTraits, instead: coin }), 2),
  change("direct-signature", fc.record({ key: anyKey, traits: selfTraits }), 2),
  change("user-id-revocation", fc.record({ key: anyKey, userId, hard: seldom, traits: anyTraits })),
  change("revocation", fc.record({ key: anyKey, hard: seldom, traits: anyTraits }), 3),
  change("certification", fc.record({ ...foreignFields(), instead: coin }), 4),
  change("withdrawal", foreign, 2),
);

function foreignFields() {
  return { issuer: anyKey, key: anyKey, userId, maker, traits: anyTraits };
}
