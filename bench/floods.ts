/** Archives whose keys were flooded with junk, and the programs that judge them. */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { archiveId, certificate, selfSignature, type TestCertificate } from "../test/testkit/certificate.ts";
import { day } from "../test/testkit/dates.ts";
import { allFramed, octets, type Packet } from "../test/testkit/framing.ts";
import { ed25519Key, type TestKey } from "../test/testkit/keys.ts";
import { certification, dataSignature, overUserId } from "../test/testkit/signature.ts";
import { issuerKeyId } from "../test/testkit/subpackets.ts";
import { feedkey } from "./archive.ts";
import { type Goal, measureGoals, type Outcome } from "./goal.ts";
import type { Contender } from "./measure.ts";
import { number, rounds, scaled } from "./size.ts";

export const seed = ed25519Key("flood seed");
export const successor = ed25519Key("flood successor", { createdAt: day(10) });
export const stranger = ed25519Key("flood stranger");

/**
 * Many similar wrong signatures over a key's user ID: date and numbers differ.
 * @param honest the two octets of the digest are right, so that only the public-key operation shows that it is forged
 */
function forgeries(like: Packet, over: TestKey, by: TestKey, count: number, honest: boolean): Packet[] {
  const signed = overUserId(over, archiveId);
  const start = Buffer.from(like.body);
  const hashedEnd = 6 + start.readUInt16BE(4);
  const unhashedEnd = hashedEnd + 2 + start.readUInt16BE(hashedEnd);
  const trailer = Buffer.concat([Buffer.of(4, 0xff), octets(hashedEnd, 4)]);
  return Array.from({ length: count }, (_, place) => {
    const body = Buffer.from(start);
    // The creation date is the testkit's second subpacket, after the issuer's fingerprint of 23 octets.
    body.writeUInt32BE(day(11) / 1000 + place, 6 + 23 + 2);
    body.writeUInt32BE(place, unhashedEnd + 2 + 10);
    body.set(issuerKeyId(by).body, unhashedEnd - 8);
    const digest = createHash("sha256").update(signed).update(body.subarray(0, hashedEnd)).update(trailer).digest();
    body.set(honest ? digest.subarray(0, 2) : Buffer.of((digest[0] ?? 0) ^ 1, digest[1] ?? 0), unhashedEnd);
    return { tag: 2, body: new Uint8Array(body) };
  });
}

/** Bogus self-signatures over the archive's user ID. */
export function bogus(key: TestKey, count: number, honest: boolean): Packet[] {
  return forgeries(selfSignature({ key }), key, key, count, honest);
}

/** Good self-signatures, each a second younger than the previous one. */
export function genuine(key: TestKey, count: number): Packet[] {
  return Array.from({ length: count }, (_, place) => selfSignature({ key, at: day(11) + place * 1000 }));
}

/** The certificates of an archive: its seed, and the successor with the only important certification among the junk. */
export interface Archive {
  readonly seed: TestCertificate;
  readonly successor: TestCertificate;
}

export function archive(junk: {
  readonly onSeed?: readonly Packet[];
  readonly onSuccessor?: readonly Packet[];
}): Archive {
  const { onSeed = [], onSuccessor = [] } = junk;
  const good = certification({ by: seed, of: successor, userId: archiveId, at: day(11) });
  const half = onSuccessor.length >> 1;
  return {
    seed: certificate({ key: seed, certifiedBy: onSeed }),
    successor: certificate({
      key: successor,
      certifiedBy: [...onSuccessor.slice(0, half), good, ...onSuccessor.slice(half)],
    }),
  };
}

/** Forged certifications and forged self-signatures of the successor. */
export function mixed(certifier: TestKey, honest: boolean): Packet[] {
  const like = certification({ by: certifier, of: successor, userId: archiveId, at: day(11) });
  const certifications = forgeries(like, successor, certifier, scaled(100_000), honest);
  return [...bogus(successor, scaled(10_000), honest), ...certifications];
}

/** An archive whose bundle holds these certificates, and whose index the successor signed. */
export function contenders(folder: string, flood: Archive): Readonly<Record<"ours" | "sqv" | "gpgv", Contender>> {
  const index = join(folder, "Packages");
  const text = Buffer.from("Package: a\nVersion: 1\nFilename: a.ipk\nSize: 1\n\n");
  const bundle = join(folder, "keys", "archive-keyring.pgp");
  fs.mkdirSync(join(folder, "keys"));
  fs.mkdirSync(join(folder, "keyring"));
  fs.writeFileSync(bundle, allFramed([...flood.seed.packets, ...flood.successor.packets]));
  fs.writeFileSync(join(folder, "keyring", "seed.pgp"), certificate({ key: seed }).bytes);
  fs.writeFileSync(index, text);
  fs.writeFileSync(
    `${index}.sig`,
    allFramed([dataSignature({ by: successor, at: day(20), data: text, feed: "base" })]),
  );
  const lines = [
    "[archive]",
    "name = Flood",
    `url = ${pathToFileURL(folder).href}/`,
    "user-email = archive@example.org",
  ];
  lines.push("[trust]", "keyring = keyring", `seeds = ${seed.fingerprint}`, "keyservers = none");
  lines.push("[feed base]", "format = opkg", "path = .", "");
  const profile = join(folder, "flood.ini");
  fs.writeFileSync(profile, lines.join("\n"));
  const stock = ["--keyring", bundle, `${index}.sig`, index] as const;
  return {
    ours: { name: "feedkey verify", command: feedkey("verify", index, "--profile", profile, "--no-state") },
    sqv: { name: "sqv", command: ["sqv", ...stock] },
    gpgv: { name: "gpgv (one round)", command: ["gpgv", "--quiet", ...stock], once: true },
  };
}

/** Junk on a key that is being searched, and on the client's seed. */
export function judgeFloods(folder: string): Outcome[] {
  const count = scaled(100_000);
  const goal = (name: string, flood: Archive, once: boolean): Outcome[] => {
    const place = join(folder, name);
    fs.mkdirSync(place);
    const { ours, sqv } = contenders(place, flood);
    const work = `judge ${number(count)} bogus self-signatures on the ${name}`;
    const less = "is told which certificates to trust, and reads no index";
    const one: Goal = { work, ours, beside: { ...sqv, once, less }, ratio: 0.5 };
    return measureGoals([one], rounds, place);
  };
  return [
    // It takes sqv twenty seconds.
    ...goal("successor", archive({ onSuccessor: bogus(successor, count, false) }), true),
    ...goal("seed", archive({ onSeed: bogus(seed, count, false) }), false),
  ];
}
