/**
 * Sends certificates to key servers and reads each certificate back. A server that answers an upload with status 200 may still
 * not have stored the certificate.
 */
import { FeedkeyError } from "../error.ts";
import { askAll, united } from "../keyserver/ask-all.ts";
import { lookup, submit } from "../keyserver/hkp.ts";
import type { Transport } from "../net/types.ts";
import { armorCertificates, packetsOf, type RawCertificate, readKeyring } from "../openpgp/certificate/certificate.ts";
import { isAbout } from "../openpgp/certificate/is-about-key.ts";
import { attachLoose, collect } from "../openpgp/certificate/merge.ts";
import { tags } from "../openpgp/packet/packets.ts";
import { makerOf, readSignature } from "../openpgp/packet/raw-signature.ts";
import { latin1 } from "../openpgp/packet/subpackets.ts";
import type { Fingerprint } from "../trust/facts.ts";

export interface Sent {
  readonly server: string;
  readonly fingerprint: Fingerprint;
  /** Undefined if the server has the key with all signatures. */
  readonly error: FeedkeyError | undefined;
}

/**
 * Returns the signatures of a certificate, each with a description. The key of the map is the hashed part of the signature, which
 * stays the same even if a server encodes the packet in another form.
 */
function signatureNames(certificate: RawCertificate): Map<string, string> {
  const names = new Map<string, string>();
  for (const { tag, body } of packetsOf(certificate)) {
    if (tag !== tags.signature) continue;
    const raw = readSignature(body);
    if (raw === undefined) continue;
    const kind =
      raw.type === 0x20 ? "revocation" : raw.type >= 0x10 && raw.type <= 0x13 ? "certification" : "signature";
    const date = new Date(raw.hashed.createdAt ?? 0).toISOString().slice(0, 10);
    names.set(latin1(raw.hashedPart), `${kind} of ${date} by ${makerOf(raw) ?? "?"}`);
  }
  return names;
}

/**
 * Returns a key's certificate, merged from the certificates in the blocks of an answer, the separate revocations in these blocks,
 * and the known certificate.
 */
function gather(blocks: readonly Uint8Array[], key: Fingerprint, known?: RawCertificate): RawCertificate | undefined {
  const rings = blocks.map(readKeyring);
  const certificates = [...rings.flatMap((ring) => ring.certificates), ...(known === undefined ? [] : [known])];
  const loose = rings.flatMap((ring) => ring.loose);
  return attachLoose(collect(certificates), loose).get(key);
}

/** A certificate to send, and the parts of the certificate that feedkey has verified. */
interface ToSend {
  readonly certificate: RawCertificate;
  /** The parts that a server must return. Signatures that feedkey can't check are left out. */
  readonly proven: RawCertificate;
  /** The certificates of the keys that certified this key. A server may keep only certifications by keys that the server has. */
  readonly makers: readonly RawCertificate[];
}

async function sendAndRead(server: string, { certificate, proven }: ToSend, transport: Transport): Promise<Sent> {
  const { fingerprint } = certificate;
  const url = new URL(server);
  const fail = (error: FeedkeyError): Sent => ({ server, fingerprint, error });
  const sent = await submit(url, armorCertificates([certificate]), { transport });
  if (!sent.ok) return fail(sent.error);
  const answer = await lookup(url, fingerprint, isAbout(fingerprint), { transport });
  if (answer.outcome === "unknown") return fail(answer.error);
  // A server may return only revocations, without the revoked key.
  const empty = { ...certificate, signatures: [], userIds: [], subkeys: [] };
  const back = answer.outcome === "found" ? gather(answer.blocks, fingerprint, empty) : undefined;
  const known = back === undefined ? new Map() : signatureNames(back);
  const missing = [...signatureNames(proven)].filter(([name]) => !known.has(name)).map(([, words]) => words);
  if (back !== undefined && missing.length === 0) return { server, fingerprint, error: undefined };
  const what = back === undefined ? "the key" : missing.join(", ");
  return fail(
    new FeedkeyError("unavailable", `${server} accepted ${fingerprint} but does not return ${what}`, {
      details: { server, fingerprint, missing },
      hint: "the server dropped the key or a part of the key: send the key to other servers too; clients also read the archive's key bundle",
    }),
  );
}

/**
 * Sends a certificate. If the server does not return all signatures, sends the certificates of the keys that made the
 * certifications, and then sends the certificate again.
 */
async function sendOne(server: string, one: ToSend, transport: Transport): Promise<Sent> {
  const sent = await sendAndRead(server, one, transport);
  if (sent.error?.details.missing === undefined || one.makers.length === 0) return sent;
  for (const maker of one.makers) {
    await submit(new URL(server), armorCertificates([maker]), { transport });
  }
  return await sendAndRead(server, one, transport);
}

/** Sends each certificate to each server, and reads each certificate back. */
export async function sendCertificates(
  servers: readonly string[],
  certificates: readonly ToSend[],
  transport: Transport,
): Promise<Sent[]> {
  const results: Sent[] = [];
  for (const one of certificates) {
    for (const sent of await Promise.all(servers.map((server) => sendOne(server, one, transport)))) results.push(sent);
  }
  return results;
}

/**
 * Gets certificates from the servers.
 * @param held the known certificates. A revocation that a server returns without its key is added to the known certificate
 * @throws FeedkeyError `not_found`: when no server that answered has a key; `unavailable`: when no server answered
 */
export async function receiveCertificates(
  servers: readonly string[],
  fingerprints: readonly Fingerprint[],
  held: ReadonlyMap<Fingerprint, RawCertificate>,
  transport: Transport,
): Promise<RawCertificate[]> {
  const urls = servers.map((server) => new URL(server));
  const answers = await askAll(urls, fingerprints, isAbout, { transport });
  const received: RawCertificate[] = [];
  for (const [fingerprint, row] of answers) {
    const answer = united(row.map((one) => one.answer));
    if (answer.outcome === "unknown") throw answer.error;
    const whole = answer.outcome === "found" ? gather(answer.blocks, fingerprint, held.get(fingerprint)) : undefined;
    if (whole === undefined) {
      throw new FeedkeyError("not_found", `no key server has ${fingerprint}`, {
        details: { fingerprint, servers },
        hint: "check the fingerprint, or ask other servers with --keyserver",
      });
    }
    received.push(whole);
  }
  return received;
}
