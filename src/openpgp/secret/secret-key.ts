/** Unlocks secret keys, and signs with them. */
import { decryptKey, type PrivateKey, readPrivateKey, UserIDPacket } from "openpgp";
import { FeedkeyError } from "../../error.ts";
import type { Instant } from "../../time.ts";
import type { CertificateFacts, Fingerprint } from "../../trust/facts.ts";
import { primaryState, refusePrimary, refuseSubkey } from "../../trust/key-state.ts";
import type { RawCertificate } from "../certificate/certificate.ts";
import { checkSignatures } from "../check/detached.ts";
import { KeyIndex } from "../check/key-index.ts";
import { HashedDocument } from "../packet/hashed-document.ts";
import { libraryKey } from "../packet/library-key.ts";
import { type Packet, writePacket } from "../packet/packets.ts";
import { readSignature } from "../packet/raw-signature.ts";
import {
  makeSignature,
  repeatSignature,
  type SecretPacket,
  type SignatureContent,
  signHashed,
} from "./make-signature.ts";

/** A signature of a key over itself. */
export interface SelfStatement {
  /** Of the signature packet. */
  readonly body: Uint8Array;
  /** What it covers in addition to the primary key: nothing, or the body of a user ID's or a subkey's packet. */
  readonly over: "key" | { readonly userId: Uint8Array } | { readonly subkey: Uint8Array };
}

/** An unlocked secret key. Its certificate comes from elsewhere: the file may hold an older one. */
export class SecretKey {
  readonly fingerprint: Fingerprint;
  readonly #key: PrivateKey;

  private constructor(key: PrivateKey) {
    this.#key = key;
    this.fingerprint = key.getFingerprint().toUpperCase();
  }

  /**
   * Unlocks a key.
   * @param armored a transferable secret key (RFC 9580 section 10.2)
   * @param passphrase asked for only if the key is locked
   * @throws FeedkeyError `bad_certificate` if it is not one, `bad_config` if the passphrase is wrong
   */
  static async open(armored: string, passphrase: () => Promise<string>): Promise<SecretKey> {
    return new SecretKey(await unlock(armored, passphrase));
  }

  /** Whether the primary key's secret is there: with an offline primary only subkeys have one. */
  get hasPrimary(): boolean {
    return isSecret(this.#key.keyPacket as SecretPacket);
  }

  /** Whether any part's secret is there. */
  get hasAny(): boolean {
    return this.#key.getKeys().some(({ keyPacket }) => isSecret(keyPacket as SecretPacket));
  }

  /**
   * The component key that may sign data at `at`: a signing subkey if there is one, as in GnuPG, else the primary key.
   * @throws FeedkeyError with the code of T7's refusal
   */
  #signer(facts: CertificateFacts, at: Instant): SecretPacket {
    const refused = refusePrimary(facts, at);
    if (refused !== undefined) throw cannotSign(facts, refused.code, refused.reason);
    const subkeys = this.#key.subkeys.map(({ keyPacket }) => keyPacket as SecretPacket).filter(isSecret);
    for (const packet of subkeys) {
      const subkey = facts.subkeys.find(({ fingerprint }) => fingerprint === packet.getFingerprint().toUpperCase());
      if (subkey !== undefined && refuseSubkey(subkey, at) === undefined) return packet;
    }
    const state = primaryState(facts, at);
    if (!this.hasPrimary || "code" in state || !state.canSign) {
      throw cannotSign(facts, "bad_config", "no part of it that may sign has its secret in this key store");
    }
    return this.#key.keyPacket as SecretPacket;
  }

  /**
   * Signs a document (SHA-256 where the key allows it; type 0x00, or 0x01 for a text) and checks the result before it returns
   * it.
   * @param certificate the present certificate of this key
   * @returns the signature packet in binary form
   * @throws FeedkeyError with the code of T7's refusal; `internal` if the result does not verify
   */
  async signDocument(
    data: Uint8Array | HashedDocument,
    certificate: { readonly raw: RawCertificate; readonly facts: CertificateFacts },
    content: Omit<SignatureContent, "type" | "reason" | "trust">,
  ): Promise<Uint8Array> {
    const signer = this.#signer(certificate.facts, content.at);
    const document = data instanceof HashedDocument ? data : new HashedDocument(data);
    const packet = await signHashed(signer, document, content);
    const raw = readSignature(packet.body);
    const [checked] = await checkSignatures(raw ? [{ raw }] : [], document, await KeyIndex.of([certificate.raw]));
    if (checked?.status !== "good") {
      throw new FeedkeyError(
        "internal",
        "the signature just made does not verify: the memory or processor may be broken",
      );
    }
    return writePacket(packet);
  }

  /** A revocation of this key by itself (0x20), as one packet. */
  async revokeSelf(content: Omit<SignatureContent, "type">): Promise<Packet> {
    return await makeSignature(this.#primary(), { key: this.#primary() }, { ...content, type: 0x20 });
  }

  /** A revocation of one of its subkeys (0x28). @param body of the subkey's public packet */
  async revokeSubkey(body: Uint8Array, content: Omit<SignatureContent, "type">): Promise<Packet> {
    const over = { key: this.#primary(), bind: await libraryKey(body) };
    return await makeSignature(this.#primary(), over, { ...content, type: 0x28 });
  }

  /**
   * A certification (0x10) or its withdrawal (0x30) over a user ID of another certificate, by the primary key.
   * @param subject the other certificate's armored or binary primary key packet, as the library reads it
   */
  async certify(subject: object, userId: string, content: SignatureContent): Promise<Packet> {
    const packet = new UserIDPacket();
    packet.read(new TextEncoder().encode(userId));
    return await makeSignature(this.#primary(), { key: subject, userID: packet }, content);
  }

  /**
   * Makes the key's self-signatures again, with a later date and another expiry, including the subkeys' back-signatures.
   * @param terms `keyLifetime`: seconds from the key's creation to its expiry
   */
  async repeat(
    { body, over }: SelfStatement,
    terms: { readonly at: Instant; readonly keyLifetime: number },
  ): Promise<Packet> {
    const key = this.#primary();
    const about: { key: object; userID?: object; bind?: object } = { key };
    if (over !== "key" && "userId" in over) {
      const packet = new UserIDPacket();
      packet.read(over.userId);
      about.userID = packet;
    } else if (over !== "key") {
      about.bind = await libraryKey(over.subkey);
    }
    return await repeatSignature(key, body, about, terms);
  }

  /**
   * Call this before making anything that needs the primary key.
   * @throws FeedkeyError `bad_config` if its secret is not here
   */
  requirePrimary(): void {
    this.#primary();
  }

  #primary(): SecretPacket {
    if (this.hasPrimary) return this.#key.keyPacket as SecretPacket;
    throw new FeedkeyError("bad_config", `the primary secret key of ${this.fingerprint} is not here`, {
      hint: "certifying and revoking need the primary key: bring it from where it is kept offline",
    });
  }
}

function cannotSign(facts: CertificateFacts, code: FeedkeyError["code"], reason: string): FeedkeyError {
  return new FeedkeyError(code, `can't sign with ${facts.primary.fingerprint}: ${reason}`, {
    details: { fingerprint: facts.primary.fingerprint },
    hint:
      code === "expired"
        ? 'extend it with "feedkey key extend", or choose another with --key'
        : 'choose another with --key; bring a lost one back with "feedkey key restore", or make one with "feedkey keygen"',
  });
}

/** Reads a secret key and unlocks it. @throws FeedkeyError as `SecretKey.open` */
export async function unlock(armored: string, passphrase: () => Promise<string>): Promise<PrivateKey> {
  let key: PrivateKey;
  try {
    key = await readPrivateKey({ armoredKey: armored });
  } catch (cause) {
    throw new FeedkeyError("bad_certificate", "the secret key file can't be read", { cause });
  }
  if (isUnlocked(key)) return key;
  const secret = await passphrase();
  try {
    return await decryptKey({ privateKey: key, passphrase: secret });
  } catch (cause) {
    throw new FeedkeyError("bad_config", `the passphrase does not unlock key ${key.getFingerprint().toUpperCase()}`, {
      cause,
      hint: "give the right one with --passphrase-file, --passphrase-fd or at the prompt",
    });
  }
}

function isSecret(packet: SecretPacket): boolean {
  return !packet.isDummy();
}

function isUnlocked(key: PrivateKey): boolean {
  return key
    .getKeys()
    .every(({ keyPacket }) => !isSecret(keyPacket as SecretPacket) || keyPacket.isDecrypted() === true);
}
