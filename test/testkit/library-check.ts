/** Checks by the OpenPGP library: a second opinion on the mathematics, for tests. */
import { SignaturePacket } from "openpgp";
import type { LoadedKey } from "../../src/openpgp/packet/key-packet.ts";
import { libraryKey } from "../../src/openpgp/packet/library-key.ts";
import { parseSignature, type RawSignature } from "../../src/openpgp/packet/raw-signature.ts";
import type { SignedParts } from "../../src/openpgp/packet/signed-parts.ts";

/**
 * Whether a key made a signature, in the library's opinion on the mathematics.
 * @param over the parts signed, or the finished digest over a document
 */
export async function libraryAgrees(
  raw: RawSignature,
  maker: LoadedKey,
  over: SignedParts | Uint8Array,
): Promise<boolean> {
  const packet = new SignaturePacket() as LibrarySignature;
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

const hashOctets = ["", "md5", "sha1", "ripemd160", "", "", "", "", "sha256", "sha384", "sha512", "sha224", "sha3-256"];
const salts: Readonly<Record<string, number>> = { sha384: 24, sha512: 32 };

/** The same key with the library's check in the place of node's: of the digest and the numbers alone. */
export function checkedByLibrary(key: LoadedKey): LoadedKey {
  return {
    ...key,
    check: async ({ hash, digest }, numbers) => {
      const six = key.facts.version === 6;
      const salt = six ? Buffer.alloc((salts[hash] ?? 16) + 1) : Buffer.alloc(0);
      if (six) salt[0] = salt.length - 1;
      const head = [key.facts.version, 0, key.algorithm, hashOctets.indexOf(hash)];
      // The library wants a date.
      const areas = Buffer.from(
        six ? "00000006" + "050200000001" + "00000000" : "0006" + "050200000001" + "0000",
        "hex",
      );
      const body = Buffer.concat([Buffer.from(head), areas, digest.subarray(0, 2), salt, numbers]);
      const raw = parseSignature(body);
      return typeof raw !== "string" && (await libraryAgrees(raw, key, digest));
    },
  };
}
