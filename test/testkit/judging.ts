/** The short way from packets to the program's judgement. */
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { checkSignatures, readSignatureFile } from "../../src/openpgp/check/detached.ts";
import { KeyIndex } from "../../src/openpgp/check/key-index.ts";
import { readFacts } from "../../src/openpgp/check/read-facts.ts";
import type { Instant } from "../../src/time.ts";
import type { CertificateFacts } from "../../src/trust/facts.ts";
import {
  type IndexPolicy,
  type IndexVerdict,
  judgeIndex,
  type SignatureRefusal,
} from "../../src/trust/index-signature.ts";
import { type JudgeInput, judge, type TrustSet } from "../../src/trust/judge.ts";
import { day } from "./dates.ts";
import { allFramed, concat, type Packet } from "./framing.ts";

export interface Bytes {
  readonly bytes: Uint8Array;
}

/** The same keys, whose every signature the library checks: the slow path. */
async function byLibrary({ certificates }: KeyIndex): Promise<KeyIndex> {
  const { checkedByLibrary } = await import("./library-check.ts");
  return new KeyIndex(
    certificates.map(({ raw, primary, subkeys }) => {
      const others = subkeys.map((subkey) => subkey && checkedByLibrary(subkey));
      return { raw, primary: checkedByLibrary(primary), subkeys: others };
    }),
  );
}

/** Reads certificates as the program does: all of them at once, each with all others as possible issuers. */
export async function read(...certificates: readonly Bytes[]): Promise<{ keys: KeyIndex; facts: CertificateFacts[] }> {
  return await factsBy(await loaded(certificates));
}

async function loaded(certificates: readonly Bytes[]): Promise<KeyIndex> {
  return await KeyIndex.of(readKeyring(concat(...certificates.map(({ bytes }) => bytes))).certificates);
}

async function factsBy(keys: KeyIndex): Promise<{ keys: KeyIndex; facts: CertificateFacts[] }> {
  const facts: CertificateFacts[] = [];
  for (const certificate of keys.certificates) facts.push(await readFacts(certificate, keys));
  return { keys, facts };
}

/** The facts of one certificate; others may be needed to check what they signed. */
export async function factsOf(certificate: Bytes, ...others: readonly Bytes[]): Promise<CertificateFacts> {
  const [facts] = (await read(certificate, ...others)).facts;
  if (facts === undefined) throw new Error("the program reads no certificate there");
  return facts;
}

export type JudgeOptions = Partial<Omit<JudgeInput, "certificates" | "seeds">> & {
  readonly certificates: readonly Bytes[];
  /** The first certificate by default. */
  readonly seeds?: readonly { readonly fingerprint: string }[];
  /** Who checks the mathematics: Node's own cryptography where it can, or the library. */
  readonly by?: "library";
};

/** Judges certificates at day 100, for a client that has accepted nothing before and checked all revocations. */
export async function judged(options: JudgeOptions): Promise<TrustSet & { readonly keys: KeyIndex }> {
  const fast = await loaded(options.certificates);
  const { keys, facts } = await factsBy(options.by === "library" ? await byLibrary(fast) : fast);
  const seeds = options.seeds?.map(({ fingerprint }) => fingerprint) ?? [facts[0]?.primary.fingerprint ?? ""];
  const usual = {
    identity: { kind: "user-email", email: "archive@example.org" },
    retiredIssuers: "refuse",
    at: day(100),
    accepted: new Set<string>(),
    unchecked: new Set<string>(),
  } as const;
  return { ...judge({ ...usual, ...options, certificates: facts, seeds }), keys };
}

export const usualPolicy: IndexPolicy = {
  feed: "base",
  threshold: 1,
  requireFeedName: false,
  requireExpiry: false,
  maxIndexAge: undefined,
};

/** Judges signatures (packets, or a file's bytes) over an index. */
export async function verdict(
  trust: TrustSet & { readonly keys: KeyIndex },
  data: Uint8Array,
  signatures: readonly Packet[] | Uint8Array,
  policy: Partial<IndexPolicy> = {},
): Promise<IndexVerdict | SignatureRefusal> {
  const file = signatures instanceof Uint8Array ? signatures : allFramed(signatures);
  const checked = await checkSignatures(readSignatureFile(file, "the signature"), data, trust.keys);
  return judgeIndex(checked, trust, { ...usualPolicy, ...policy });
}

/** The code of a refusal, or `good`. */
export function codeOf(result: IndexVerdict | SignatureRefusal): string {
  return "code" in result ? result.code : "good";
}

/** Judges one signature over an index by one seed: the most common question. */
export async function codeBySeed(
  certificates: readonly Bytes[],
  data: Uint8Array,
  signatures: readonly Packet[] | Uint8Array,
  options: { readonly at?: Instant; readonly policy?: Partial<IndexPolicy> } = {},
): Promise<string> {
  const trust = await judged({ certificates, at: options.at ?? day(100) });
  return codeOf(await verdict(trust, data, signatures, options.policy));
}
