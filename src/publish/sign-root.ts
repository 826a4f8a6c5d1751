/** Signing a root in its format's own way: beside it, or in one file with its text. */
import { createHash } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { commitStaged } from "../files/atomic.ts";
import { frame } from "../formats/cleartext.ts";
import type { SignatureFile, Signing } from "../formats/format.ts";
import { maxIndexBytes, type SignatureForm } from "../formats/formats.ts";
import type { KeyIndex } from "../openpgp/check/key-index.ts";
import { armor } from "../openpgp/packet/armor.ts";
import { HashedDocument } from "../openpgp/packet/hashed-document.ts";
import type { Own } from "../signing/delegate-check.ts";
import { type PublishedFolder, PublishedTree } from "../signing/published-tree.ts";
import type { SignerOf } from "../signing/signing-key.ts";
import type { Instant } from "../time.ts";
import { type SignOptions, signIndexBytes } from "./index-signature.ts";
import { dateAfter } from "./signature-date.ts";
import { planSignatureFiles } from "./signature-files.ts";

export interface SignFileOptions extends SignOptions {
  /** Add size and SHA-256 of the packages to a pkg_summary first. */
  readonly addChecksums: boolean;
  /** Write one file with the text and its signature, where the format has such a one. */
  readonly framed: boolean;
  readonly form: SignatureForm;
  /** Sign what no client can read, and replace signatures of other programs. */
  readonly force: boolean;
  /** The key store's certificates: the signature is dated after theirs. */
  readonly own: Own;
}

export interface SignedIndex {
  readonly index: string;
  readonly files: readonly string[];
  /** Signatures that would sign an older index: of other forms of the summary, or in a form that is no longer written. */
  readonly removed: readonly string[];
  readonly sha256: string;
  readonly createdAt: Instant;
  readonly expiresAt: Instant | undefined;
}

/** @throws FeedkeyError `not_found`, `bad_path`, `output` */
export async function readIndex(folder: PublishedFolder, path: string): Promise<Uint8Array> {
  const index = await folder.read(basename(path), maxIndexBytes);
  if (index !== undefined) return index;
  throw new FeedkeyError("not_found", `the index ${escapeText(path)} can't be read`, {
    details: { path, reason: "ENOENT" },
    hint: "write the index first, then sign it",
  });
}

/** @throws FeedkeyError `usage` if there are several */
export function onlyKey(path: string, [key, ...others]: readonly [SignerOf, ...SignerOf[]]): SignerOf {
  if (others.length === 0) return key;
  throw new FeedkeyError("usage", `${escapeText(basename(path))} is signed by one key alone`, {
    hint: "--also-key is for the Release file of apt's repositories",
  });
}

/**
 * Works out how a root is signed as it lies there, if its clients would read it.
 * @param signers whose signatures the new one is dated after
 * @returns does it
 * @throws FeedkeyError `not_found`, `bad_index`, `would_break`, `usage` for several keys where only one may sign
 */
export async function planRoot(
  path: string,
  signing: Signing,
  keys: readonly [SignerOf, ...SignerOf[]],
  signers: KeyIndex,
  options: SignFileOptions,
): Promise<() => Promise<SignedIndex>> {
  const { form, force } = options;
  const name = basename(path);
  const folder = (await PublishedTree.open(dirname(path))).folder("");
  const bytes = await readIndex(folder, path);
  if (!force) signing.check(bytes);
  if (signing.several !== true) onlyKey(path, keys);
  const files = signing.files(name, options.framed).filter(({ holds }) => holds !== "binary" || form === "both");
  const names = files.map((file) => file.name);
  const removes = await planSignatureFiles(folder, { names: [name], also: names, form, force });
  const at = await dateAfter(folder, [...names, ...removes], signers, options.at);
  return async () => {
    const made = [];
    for (const file of files) made.push(await signatureFile(file, bytes, inOrder(keys), { ...options, at }));
    const { createdAt, expiresAt } = made[0]?.signature ?? { createdAt: at, expiresAt: undefined };
    const staged = await folder.stage(made.map((one) => ({ name: one.name, data: one.data })));
    await folder.remove(removes);
    await commitStaged(staged);
    return {
      index: path,
      files: names.map((one) => join(dirname(path), one)),
      removed: removes.map((one) => join(dirname(path), one)),
      sha256: createHash("sha256").update(bytes).digest("hex"),
      createdAt,
      expiresAt,
    };
  };
}

/** The key first that the oldest clients know; apt's gpgv finds no signature behind one of version 6. */
function inOrder(keys: readonly SignerOf[]): readonly SignerOf[] {
  const rank = ({ facts: { primary } }: SignerOf) => (primary.version === 6 ? 1 : 0);
  return keys.toSorted((a, b) => rank(a) - rank(b) || a.facts.primary.createdAt - b.facts.primary.createdAt);
}

async function signatureFile(
  { name, holds }: SignatureFile,
  bytes: Uint8Array,
  keys: readonly SignerOf[],
  options: SignFileOptions,
) {
  const document = holds === "framed" ? HashedDocument.ofText(bytes) : new HashedDocument(bytes);
  const signatures = [];
  for (const key of keys) signatures.push(await signIndexBytes(document, key, options));
  const binary = Buffer.concat(signatures.map((one) => one.binary));
  const hashes = [...new Set(signatures.map(({ hash }) => hash))];
  // One armored block: of several, sqv reads the first only.
  const armored = armor(binary, "SIGNATURE");
  const data = holds === "binary" ? binary : holds === "armored" ? armored : frame(bytes, armored, hashes);
  return { name, data, signature: signatures[0] };
}
