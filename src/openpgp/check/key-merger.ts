/** The OpenPGP functions of the embedded key server: they find the keys in an upload, and merge two copies of a key. */
import type { CertificateFacts, Fingerprint } from "../../trust/facts.ts";
import { addressOf } from "../../trust/identity.ts";
import { packetsOf, type RawCertificate, readKeyring, writeCertificate } from "../certificate/certificate.ts";
import { attachLoose, collect, keepVerified } from "../certificate/merge.ts";
import { readKeys } from "../certificate/read-keys.ts";
import { armor } from "../packet/armor.ts";
import { fingerprintOf, keyIdOf } from "../packet/key-packet.ts";
import { tags, writePacket } from "../packet/packets.ts";
import { makerOf, namesIssuer, type RawSignature, readSignature, revokerIn } from "../packet/raw-signature.ts";
import { KeyIndex } from "./key-index.ts";
import { provenRoom, prune } from "./prune.ts";
import { readFacts } from "./read-facts.ts";

/** One key in an upload. */
export interface UploadedKey {
  /** The fingerprint in upper-case hex. For a bare revocation, the fingerprint or key ID of the key that the revocation names. */
  readonly fingerprint: Fingerprint;
  /** The key IDs of the key and its subkeys, each with 16 upper-case hex digits. */
  readonly keyIds: readonly string[];
  readonly emails: readonly string[];
  /** The user IDs to show in listings; if undefined, listings show the addresses. */
  readonly userIds?: readonly string[];
  /** The key as binary packets. */
  readonly bytes: Uint8Array;
  /** The fingerprints or key IDs of other keys that signatures over this key name as their makers. */
  readonly makers?: readonly string[];
  /** Whether the key has no self-signed user ID. The server then only merges the key into a stored copy, and refuses a new key. */
  readonly nameless?: boolean;
  /**
   * Whether the upload is a revocation without its key. The server merges a bare revocation into the stored key. If the server
   * does not store the key, it refuses the revocation.
   */
  readonly bare?: boolean;
}

interface Cleaned {
  readonly certificate: RawCertificate;
  /** The facts about the key; undefined if feedkey can't use keys of this kind. */
  readonly facts: CertificateFacts | undefined;
}

/**
 * Drops forged signatures that name the key itself as their maker (revocations and self-signatures). Keeps certifications and
 * revocations by other keys, because the server may have stored these keys.
 */
async function withoutForgeries(certificate: RawCertificate): Promise<Cleaned> {
  const keys = await KeyIndex.of([certificate]);
  const [loaded] = keys.certificates;
  if (loaded === undefined) return { certificate, facts: undefined };
  const good = new Set<Uint8Array>();
  const facts = await readFacts(loaded, keys, (body) => good.add(body));
  const own = [...facts.directSignatures, ...facts.userIds.flatMap(({ selfSignatures }) => selfSignatures)];
  const revokers = own.flatMap(({ designatedRevokers }) => designatedRevokers);
  const named = new Set([...revokers, ...revokers.map(keyIdOf)]);
  for (const { body } of certificate.signatures) {
    const raw = byOthers(body, certificate.fingerprint);
    if (raw?.type === 0x20 && named.has(makerOf(raw) ?? "")) good.add(body);
  }
  for (const { signatures } of certificate.userIds) {
    for (const { body } of signatures) if (byOthers(body, certificate.fingerprint) !== undefined) good.add(body);
  }
  return { certificate: keepVerified(certificate, good), facts };
}

/** Returns the parsed signature if it names another key as its maker, else undefined. */
function byOthers(body: Uint8Array, fingerprint: string): RawSignature | undefined {
  const raw = readSignature(body);
  return raw === undefined || namesIssuer(raw, fingerprint) ? undefined : raw;
}

async function describe(uploaded: RawCertificate): Promise<UploadedKey> {
  const { certificate, facts } = await withoutForgeries(uploaded);
  const { fingerprint } = certificate;
  const signed = (facts?.userIds ?? []).filter(({ selfSignatures }) => selfSignatures.length > 0);
  const userIds = signed.map(({ text }) => text);
  const subkeys = certificate.subkeys.flatMap(({ packet }) => fingerprintOf(packet.body) ?? []);
  const signatures = packetsOf(certificate).filter(({ tag }) => tag === tags.signature);
  const foreign = signatures.flatMap(({ body }) => byOthers(body, fingerprint) ?? []);
  return {
    fingerprint,
    keyIds: [fingerprint, ...subkeys].map(keyIdOf),
    emails: userIds.flatMap((userId) => addressOf(userId) ?? []),
    userIds,
    bytes: writeCertificate(certificate),
    makers: [...new Set(foreign.map((raw) => makerOf(raw) ?? ""))],
    nameless: userIds.length === 0,
  };
}

/** The functions that the code in `keyserver/` calls. */
export const keyMerger = {
  async parse(armored: Uint8Array): Promise<UploadedKey[]> {
    const { certificates, loose } = readKeys(armored);
    const found: UploadedKey[] = [];
    for (const certificate of collect(certificates).values()) found.push(await describe(certificate));
    for (const packet of loose) {
      const fingerprint = revokerIn(packet.body);
      if (fingerprint === undefined) continue;
      found.push({ fingerprint, keyIds: [], emails: [], userIds: [], bytes: writePacket(packet), bare: true });
    }
    return found;
  },

  async merge(old: Uint8Array, fresh: Uint8Array): Promise<Uint8Array> {
    const [held, added] = [readKeyring(old), readKeyring(fresh)];
    const whole = attachLoose(collect([...held.certificates, ...added.certificates]), added.loose);
    const cleaned = await Promise.all([...whole.values()].map(withoutForgeries));
    return new Uint8Array(Buffer.concat(cleaned.map(({ certificate }) => writeCertificate(certificate))));
  },

  /**
   * Returns the parts of a key that the server keeps: the key's own signatures, revocations first, and verified signatures by
   * other keys.
   * @param others the other keys whose signatures the server keeps
   */
  async settle(
    bytes: Uint8Array,
    others: readonly Uint8Array[],
  ): Promise<{ bytes: Uint8Array; certifiedBy: readonly string[] }> {
    const [certificate] = readKeyring(bytes).certificates;
    const issuers = others.flatMap((other) => readKeyring(other).certificates);
    const keys = await KeyIndex.of(collect([...(certificate === undefined ? [] : [certificate]), ...issuers]).values());
    const loaded = keys.certificates.find(({ raw }) => raw.fingerprint === certificate?.fingerprint);
    if (loaded === undefined) return { bytes, certifiedBy: [] };
    const { certificate: kept, facts } = await prune(loaded, keys, provenRoom);
    const made = facts.userIds.flatMap(({ certifications }) => certifications);
    const byPrimary = made.filter((one) => one.key === one.certificate).map((one) => one.certificate);
    return { bytes: writeCertificate(kept), certifiedBy: [...new Set(byPrimary)] };
  },

  armor: (bytes: Uint8Array): string => armor(bytes, "PUBLIC KEY BLOCK"),
};
