/** What the embedded key server knows about OpenPGP: which keys an upload holds, and how two copies become one. */
import { addressOf } from "../trust/identity.ts";
import { armor } from "./armor.ts";
import { type RawCertificate, readKeyring, writeCertificate } from "./certificate.ts";
import { KeyIndex } from "./key-index.ts";
import { fingerprintOf, keyIdOf } from "./key-packet.ts";
import { attachLoose, collect, keepVerified } from "./merge.ts";
import { writePacket } from "./packets.ts";
import { parseSignature } from "./raw-signature.ts";
import { readFacts } from "./read-facts.ts";
import { readKeys } from "./read-keys.ts";

interface UploadedKey {
  readonly fingerprint: string;
  readonly keyIds: readonly string[];
  readonly emails: readonly string[];
  readonly userIds: readonly string[];
  readonly bytes: Uint8Array;
  readonly bare?: boolean;
}

/**
 * Drops what claims to be the key's own word and is not (forged revocations, bogus self-signatures).
 * Certifications by others stay: their makers may be unknown here.
 */
async function withoutForgeries(certificate: RawCertificate): Promise<RawCertificate> {
  const keys = await KeyIndex.of([certificate]);
  const [loaded] = keys.certificates;
  if (loaded === undefined) return certificate;
  const good = new Set<Uint8Array>();
  await readFacts(loaded, keys, (body) => good.add(body));
  for (const { signatures } of certificate.userIds) {
    for (const { body } of signatures) if (isByOthers(body, certificate.fingerprint)) good.add(body);
  }
  return keepVerified(certificate, good);
}

function isByOthers(body: Uint8Array, fingerprint: string): boolean {
  const raw = parseSignature(body);
  if (typeof raw === "string") return false;
  const { fingerprint: named, keyId } = raw.issuer;
  return named === undefined ? keyId !== keyIdOf(fingerprint) : named !== fingerprint;
}

async function describe(uploaded: RawCertificate): Promise<UploadedKey> {
  const certificate = await withoutForgeries(uploaded);
  const userIds = certificate.userIds.map(({ packet }) => Buffer.from(packet.body).toString("utf8"));
  const subkeys = certificate.subkeys.flatMap(({ packet }) => fingerprintOf(packet.body) ?? []);
  return {
    fingerprint: certificate.fingerprint,
    keyIds: [certificate.fingerprint, ...subkeys].map(keyIdOf),
    emails: userIds.flatMap((userId) => addressOf(userId) ?? []),
    userIds,
    bytes: writeCertificate(certificate),
  };
}

/** The port that `keyserver/` takes. */
export const keyMerger = {
  async parse(armored: Uint8Array): Promise<UploadedKey[]> {
    const { certificates, loose } = readKeys(armored);
    const found: UploadedKey[] = [];
    for (const certificate of collect(certificates).values()) found.push(await describe(certificate));
    for (const packet of loose) {
      const raw = parseSignature(packet.body);
      if (typeof raw === "string" || raw.type !== 0x20 || raw.issuer.fingerprint === undefined) continue;
      const fingerprint = raw.issuer.fingerprint;
      found.push({ fingerprint, keyIds: [], emails: [], userIds: [], bytes: writePacket(packet), bare: true });
    }
    return found;
  },
  async merge(old: Uint8Array, fresh: Uint8Array): Promise<Uint8Array> {
    const [held, added] = [readKeyring(old), readKeyring(fresh)];
    const whole = attachLoose(collect([...held.certificates, ...added.certificates]), added.loose);
    const cleaned = await Promise.all([...whole.values()].map(withoutForgeries));
    return new Uint8Array(Buffer.concat(cleaned.map(writeCertificate)));
  },
  armor: (bytes: Uint8Array): string => armor(bytes, "PUBLIC KEY BLOCK"),
};
