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

/** A signature by a key over itself. */
export interface SelfStatement {
  /** The body of the signature packet. */
  readonly body: Uint8Array;
  /**
   * The data that the signature covers in addition to the primary key: "key" for none, or the packet body of a user ID or a subkey.
   */
  readonly over: "key" | { readonly userId: Uint8Array } | { readonly subkey: Uint8Array };
}

/** An unlocked secret key. Callers read the certificate from another file, because the secret key's file may contain an older copy. */
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
   * @param passphrase called only if the key is locked
   * @throws FeedkeyError `bad_certificate` if the text is not a secret key; `bad_config` if the passphrase is wrong
   */
  static async open(armored: string, passphrase: () => Promise<string>): Promise<SecretKey> {
    return new SecretKey(await unlock(armored, passphrase));
  }

  /**
   * Whether the secret of the primary key is present. If the primary key is kept offline, only secrets of subkeys are present.
   */
  get hasPrimary(): boolean {
    return isSecret(this.#key.keyPacket as SecretPacket);
  }

  /** Whether the secret of the primary key or of any subkey is present. */
  get hasAny(): boolean {
    return this.#key.getKeys().some(({ keyPacket }) => isSecret(keyPacket as SecretPacket));
  }

  /**
   * Returns the key that may sign data at the time `at`: a signing subkey if there is one, as in GnuPG, else the primary key.
   * @throws FeedkeyError with the code from T7 if no key may sign
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
      throw cannotSign(facts, "bad_config", "this key store has no secret for any part of the key that may sign");
    }
    return this.#key.keyPacket as SecretPacket;
  }

  /**
   * Signs a document, and verifies the signature before returning it. Uses SHA-256 if the key allows it. The type is 0x00, or 0x01
   * for a text.
   * @param certificate the current certificate of this key
   * @returns the signature packet in binary form
   * @throws FeedkeyError with the code from T7 if no key may sign; `internal` if the signature does not verify
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
      throw new FeedkeyError("internal", "the new signature does not verify: the memory or processor may be faulty");
    }
    return writePacket(packet);
  }

  /** Returns the packet of a revocation (0x20) of this key, made by the key itself. */
  async revokeSelf(content: Omit<SignatureContent, "type">): Promise<Packet> {
    return await makeSignature(this.#primary(), { key: this.#primary() }, { ...content, type: 0x20 });
  }

  /** Returns a revocation (0x28) of one of this key's subkeys. @param body the body of the subkey's public key packet */
  async revokeSubkey(body: Uint8Array, content: Omit<SignatureContent, "type">): Promise<Packet> {
    const over = { key: this.#primary(), bind: await libraryKey(body) };
    return await makeSignature(this.#primary(), over, { ...content, type: 0x28 });
  }

  /**
   * Returns a certification (0x10) or its withdrawal (0x30), made by this primary key, over a user ID in another certificate.
   * @param subject the primary key packet of the other certificate, as the OpenPGP library reads it
   */
  async certify(subject: object, userId: string, content: SignatureContent): Promise<Packet> {
    const packet = new UserIDPacket();
    packet.read(new TextEncoder().encode(userId));
    return await makeSignature(this.#primary(), { key: subject, userID: packet }, content);
  }

  /**
   * Returns a new self-signature that repeats an old self-signature, but with a later date and another expiry of the key. For a
   * signing subkey, the new self-signature includes a new back-signature.
   * @param terms the new date and key lifetime; `keyLifetime` counts the seconds from the key's creation to its expiry
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
   * Throws if the secret of the primary key is not present. Callers check this before any work that needs the primary key.
   * @throws FeedkeyError `bad_config` if the primary secret is not present
   */
  requirePrimary(): void {
    this.#primary();
  }

  #primary(): SecretPacket {
    if (this.hasPrimary) return this.#key.keyPacket as SecretPacket;
    throw new FeedkeyError(
      "bad_config",
      `this key store does not have the secret of the primary key ${this.fingerprint}`,
      {
        hint: "certifying, extending and revoking need that secret: use --home to name the key store where the secret is kept offline",
      },
    );
  }
}

function cannotSign(facts: CertificateFacts, code: FeedkeyError["code"], reason: string): FeedkeyError {
  return new FeedkeyError(code, `can't sign with ${facts.primary.fingerprint}: ${reason}`, {
    details: { fingerprint: facts.primary.fingerprint },
    hint:
      code === "expired"
        ? 'extend the key with "feedkey key extend", or choose another key with --key'
        : 'choose another key with --key; restore a lost key with "feedkey key restore", or make a new key with "feedkey keygen"',
  });
}

/** Reads a secret key and unlocks it. @throws FeedkeyError like `SecretKey.open` */
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
      hint: "give the right passphrase with --passphrase-file, --passphrase-fd or at the prompt",
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
