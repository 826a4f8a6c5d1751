/** Checks whether the right keys have signed the published files, for the right feed, and for a long enough time. */
import { KeyIndex } from "../openpgp/check/key-index.ts";
import type { ArchiveFeed } from "../profile/types.ts";
import type { FolderView } from "../signing/published-tree.ts";
import { type OwnCertificate, withOwnKeys } from "../signing/signing-key.ts";
import type { Duration, Instant } from "../time.ts";
import type { DataSignature } from "../trust/facts.ts";
import type { FileToSign } from "./feed-layout.ts";
import { presentSignatures } from "./present-signatures.ts";

/** Returns the reason to replace the present signature files; undefined if the files can stay. */
export async function whySign(
  folder: FolderView,
  files: readonly FileToSign[],
  signers: readonly OwnCertificate[],
  feed: ArchiveFeed,
  terms: { readonly at: Instant; readonly validFor: Duration },
): Promise<string | undefined> {
  const keys = await KeyIndex.of(signers.map(withOwnKeys));
  const pairs = files.flatMap((file) => file.signatures.map((one) => ({ file, one, name: one.name })));
  for (const { file, one, name } of pairs) {
    const bytes = await folder.read(name);
    if (bytes === undefined) return `${name} is missing`;
    const signatures = await presentSignatures(file, one, bytes, keys).catch(() => []);
    const problem = problemOf(signatures, signers, feed, terms);
    if (problem !== undefined) return `${name} ${problem}`;
  }
  return undefined;
}

function problemOf(
  signatures: readonly DataSignature[],
  signers: readonly OwnCertificate[],
  feed: ArchiveFeed,
  { at, validFor }: { readonly at: Instant; readonly validFor: Duration },
): string | undefined {
  const made = signatures.flatMap((one) => (one.status === "good" ? one.makers.slice(0, 1) : []));
  if (made.length === 0 || signatures.some(({ status }) => status === "bad")) return "has no good signature";
  const isBy = ({ raw }: OwnCertificate, place: number) => made[place]?.certificate === raw.fingerprint;
  if (signatures.length !== signers.length || !signers.every(isBy)) return "is signed by other keys";
  for (const facts of made) {
    if (!facts.notations.some(({ name, value }) => name.startsWith("feed@") && value === feed.name)) {
      return "does not name the feed";
    }
    const left = (facts.expiresAt ?? 0) - at;
    // A signature has a date in the future if its predecessor had one. The signature then also expires later by this difference.
    if (left - Math.max(0, (facts.createdAt ?? 0) - at) > validFor) return "is valid for too long";
    // feedkey signs the index again long before clients begin to refuse it.
    if (left * 2 < validFor) return "has passed more than half of its validity period";
  }
  return undefined;
}
