/** Reads detached signature files completely and strictly (T8), and checks the signatures with the available keys. */
import { getHashes } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import type { DataSignature } from "../../trust/facts.ts";
import { dearmorStrictly, looksArmored } from "../packet/armor.ts";
import { HashedDocument } from "../packet/hashed-document.ts";
import { limits } from "../packet/limits.ts";
import { refuseLooseEnds } from "../packet/malleability.ts";
import { type Packet, PacketError, readPackets, tags } from "../packet/packets.ts";
import { makerOf, parseSignature, type RawSignature, signatureFacts } from "../packet/raw-signature.ts";
import { makersOf } from "./check-signature.ts";
import { foreignSignature } from "./foreign-signature.ts";
import type { KeyIndex } from "./key-index.ts";

/** A signature packet in the file, or the reason why feedkey can't use it. */
export type FileSignature = { readonly raw: RawSignature } | { readonly problem: string };

function malformed(what: string, why: string): FeedkeyError {
  return new FeedkeyError("bad_signature_data", `${what} is not an OpenPGP signature file: ${why}`, {
    hint: "look at the file: a proxy or mirror may have sent something else, such as a web page",
  });
}

/**
 * Reads a detached signature file: armored blocks, or binary packets. The file may contain only signatures.
 * @param what the file's name in messages
 * @throws FeedkeyError `no_signature` if the file has no signature; `bad_signature_data` if it contains anything but
 * signatures
 */
export function readSignatureFile(bytes: Uint8Array, what: string): FileSignature[] {
  if (bytes.length > limits.signatureFileBytes)
    throw malformed(what, `it has ${bytes.length} bytes, more than the limit of ${limits.signatureFileBytes}`);
  const foreign = foreignSignature(bytes);
  if (foreign !== undefined) {
    throw new FeedkeyError("bad_signature_data", `${what} is a signature of ${foreign}, not an OpenPGP signature`, {
      hint: "ask the archive's keepers to publish an OpenPGP signature too; INDEX.asc alone is enough",
    });
  }
  const noSignature = new FeedkeyError("no_signature", `${what} has no signature`, {
    hint: "if the archive's keepers have signed the index, the signature was lost in transit: try again, or use another mirror",
  });
  if (bytes.length === 0) throw noSignature;
  const blocks = looksArmored(bytes) ? dearmorStrictly(bytes, "SIGNATURE", what) : [bytes];
  const found: FileSignature[] = [];
  for (const packet of blocks.flatMap((block) => cut(block, what))) {
    if (packet.tag === tags.marker || packet.tag === tags.padding) continue;
    if (packet.tag !== tags.signature) throw malformed(what, `it has a packet of type ${packet.tag}`);
    const raw = parseSignature(packet.body);
    found.push(typeof raw === "string" ? { problem: raw } : { raw });
  }
  if (found.length === 0) throw noSignature;
  if (found.length > limits.signaturesPerFile)
    throw malformed(what, `it has ${found.length} signatures, more than the limit of ${limits.signaturesPerFile}`);
  return found;
}

function cut(block: Uint8Array, what: string): Packet[] {
  try {
    return [...readPackets(block)];
  } catch (error) {
    if (error instanceof PacketError) throw malformed(what, error.message);
    throw error;
  }
}

/** Returns the fingerprints or key IDs of the keys that signatures name as their makers. */
export function makersNamed(signatures: readonly FileSignature[]): string[] {
  return signatures.flatMap((one) => ("raw" in one ? (makerOf(one.raw) ?? []) : []));
}

/**
 * Checks each signature in a file over a document, with every key that the signature names. Checks only the cryptography:
 * `trust/` decides which keys may sign.
 * @param data the document's exact bytes, for which all signatures must be binary signatures, or a document that states the type
 *   of its signatures
 */
export async function checkSignatures(
  signatures: readonly FileSignature[],
  data: Uint8Array | HashedDocument,
  keys: KeyIndex,
): Promise<DataSignature[]> {
  const document = data instanceof HashedDocument ? data : new HashedDocument(data);
  const results: DataSignature[] = [];
  for (const one of signatures) {
    if ("raw" in one) results.push(await check(one.raw, document, keys));
    else results.push({ status: "unknown", issuer: one.problem });
  }
  return results;
}

async function check(raw: RawSignature, document: HashedDocument, keys: KeyIndex): Promise<DataSignature> {
  const issuer = makerOf(raw) ?? "nobody";
  const candidates = keys.candidates(raw);
  if (candidates.length === 0) return { status: "unknown", issuer };
  const bad = (reason: string) => ({
    status: "bad" as const,
    issuer,
    certificates: candidates.map(({ certificate }) => certificate),
    reason,
  });
  if (raw.type !== document.type) {
    const type = `0x${raw.type.toString(16).padStart(2, "0")}`;
    if (document.type === 0x01) return bad(`the type is ${type}, but signatures over text must have type 0x01`);
    const mode = raw.type === 1 ? " (the signer used text mode)" : "";
    const hint = "the archive's keepers must sign the file again, as binary data: gpg --detach-sign without --textmode";
    return { ...bad(`the type is ${type}, but signatures over binary data must have type 0x00${mode}`), hint };
  }
  // feedkey refuses a version 6 signature early if the key has another version. Each version 6 signature has a salt, so feedkey
  // would have to hash the whole document again for each signature.
  if (!candidates.some(({ facts }) => facts.version === raw.version))
    return bad("the signature and the key have different versions");
  if (!getHashes().includes(raw.hash)) return bad(`its hash algorithm (${raw.hash}) can't be computed here`);
  const makers = await makersOf(raw, candidates, document);
  for (const maker of makers) {
    const loose = refuseLooseEnds(raw, maker);
    if (loose !== undefined) return bad(loose);
  }
  if (makers.length === 0) return bad("it does not match the data: the data or the signature has changed");
  return { status: "good", makers: makers.map((maker) => signatureFacts(raw, maker)) };
}
