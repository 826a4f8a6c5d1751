/** Checks by the OpenPGP library, loaded when the first key comes that Node's own cryptography can't take. */
import type { PublicKeyPacket, SignaturePacket } from "openpgp";
import type { LoadedKey } from "./key-packet.ts";
import type { RawSignature } from "./raw-signature.ts";
import type { SignedParts } from "./signed-parts.ts";

/**
 * Whether a key made a signature, in the library's opinion on the mathematics.
 * @param over the parts signed, or the finished digest over a document
 */
export async function libraryAgrees(
  raw: RawSignature,
  maker: LoadedKey,
  over: SignedParts | Uint8Array,
): Promise<boolean> {
  const { SignaturePacket: Packet } = await import("openpgp");
  const packet = new Packet() as LibrarySignature;
  try {
    packet.read(raw.body);
    const key = await libraryKey(maker.body);
    // The library's own opinions are switched off one by one: `trust/` has the rules. What is reset here is
    // not part of what is hashed, which stays as it was read.
    packet.issuerKeyID = key.getKeyID();
    packet.unknownSubpackets = [];
    packet.rawNotations = [];
    packet.revocationKeyClass = null;
    if (over instanceof Uint8Array) packet.hashed = over;
    const parts = over instanceof Uint8Array ? over : await libraryParts(over);
    await packet.verify(key, raw.type, parts, noDate, true, lenient);
    return true;
  } catch {
    return false;
  }
}

/**
 * A public key packet as the library reads it.
 * @throws Error for one that it can't
 */
export async function libraryKey(body: Uint8Array): Promise<PublicKeyPacket> {
  const { PublicKeyPacket: Packet } = await import("openpgp");
  const packet = new Packet();
  await packet.read(body);
  return packet;
}

// What the library's types leave out.
type LibrarySignature = SignaturePacket & {
  /** A finished digest, taken instead of hashing. */
  hashed?: Uint8Array;
};

// `null` tells the library to compare no dates; its types don't know.
const noDate = null as unknown as Date;
const lenient = {
  rejectHashAlgorithms: new Set(),
  rejectMessageHashAlgorithms: new Set(),
  knownNotations: [],
} as unknown as NonNullable<Parameters<SignaturePacket["verify"]>[5]>;

async function libraryParts({ key, userId, bind }: SignedParts): Promise<object> {
  return {
    key: await libraryKey(key.body),
    // The library decodes user IDs as UTF-8 and would hash something else where they are not: hand it the bytes.
    ...(userId === undefined ? {} : { userID: { write: () => userId } }),
    ...(bind === undefined ? {} : { bind: await libraryKey(bind.body) }),
  };
}
