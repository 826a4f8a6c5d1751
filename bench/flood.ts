/**
 * `node dist/bench/flood.js`: a successor that somebody flooded with junk, judged beside gpgv and sqv over the same packets.
 * FEEDKEY_BENCH_RUNS: rounds that count (3). FEEDKEY_BENCH_SCALE: share of the full sizes (1).
 */
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { archiveId, certificate, selfSignature, type TestCertificate } from "../test/testkit/certificate.ts";
import { day } from "../test/testkit/dates.ts";
import { allFramed, octets, type Packet } from "../test/testkit/framing.ts";
import { ed25519Key, type TestKey } from "../test/testkit/keys.ts";
import { certification, dataSignature, overUserId } from "../test/testkit/signature.ts";
import { issuerKeyId } from "../test/testkit/subpackets.ts";
import { feedkey } from "./archive.ts";
import { type Contender, measure } from "./measure.ts";
import { table } from "./table.ts";

const rounds = Number(process.env.FEEDKEY_BENCH_RUNS ?? "3");
const scale = Number(process.env.FEEDKEY_BENCH_SCALE ?? "1");
const scaled = (count: number) => Math.max(1, Math.round(count * scale));
const number = (count: number) => count.toLocaleString("en");

const seed = ed25519Key("flood seed");
const successor = ed25519Key("flood successor", { createdAt: day(10) });
const stranger = ed25519Key("flood stranger");

/**
 * Copies of a signature that are each other's like and all wrong: date and numbers differ.
 * @param honest the two octets of the digest are right, so that nothing short of the public key tells that it is forged
 */
function forgeries(like: Packet, by: TestKey, count: number, honest: boolean): Packet[] {
  const over = overUserId(successor, archiveId);
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
    const digest = createHash("sha256").update(over).update(body.subarray(0, hashedEnd)).update(trailer).digest();
    body.set(honest ? digest.subarray(0, 2) : Buffer.of((digest[0] ?? 0) ^ 1, digest[1] ?? 0), unhashedEnd);
    return { tag: 2, body: new Uint8Array(body) };
  });
}

/** The successor with junk before and behind the one good certification. */
function flooded(certifier: TestKey, certifications: number, selfSignatures: number, honest: boolean): TestCertificate {
  const over = { of: successor, userId: archiveId, at: day(11) };
  const junk = forgeries(certification({ ...over, by: certifier }), certifier, certifications, honest);
  const own = forgeries(selfSignature({ key: successor }), successor, selfSignatures, honest);
  const half = junk.length >> 1;
  const good = certification({ ...over, by: seed });
  return certificate({ key: successor, certifiedBy: [...own, ...junk.slice(0, half), good, ...junk.slice(half)] });
}

/** An archive whose bundle holds the flooded key, and whose index it signed. */
function contenders(folder: string, flood: TestCertificate): Contender[] {
  const old = certificate({ key: seed });
  const index = join(folder, "Packages");
  const text = Buffer.from("Package: a\nVersion: 1\nFilename: a.ipk\nSize: 1\n\n");
  const bundle = join(folder, "keys", "archive-keyring.pgp");
  fs.mkdirSync(join(folder, "keys"));
  fs.mkdirSync(join(folder, "keyring"));
  fs.writeFileSync(bundle, allFramed([...old.packets, ...flood.packets]));
  fs.writeFileSync(join(folder, "keyring", "seed.pgp"), old.bytes);
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
  lines.push("[trust]", "keyring = keyring", `seeds = ${old.fingerprint}`, "keyservers = none");
  lines.push("[feed base]", "format = opkg", "path = .", "");
  const profile = join(folder, "flood.ini");
  fs.writeFileSync(profile, lines.join("\n"));
  const stock = ["--keyring", bundle, `${index}.sig`, index] as const;
  return [
    { name: "feedkey verify", command: feedkey("verify", index, "--profile", profile, "--no-state") },
    { name: "sqv", command: ["sqv", ...stock] },
    // It can take minutes.
    { name: "gpgv (one round)", command: ["gpgv", "--quiet", ...stock], once: true },
  ];
}

function judge(what: string, flood: TestCertificate): string {
  const folder = fs.mkdtempSync(join(tmpdir(), "feedkey-bench-"));
  try {
    return table(what, measure(contenders(folder, flood), rounds, folder));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const [certifications, selfSignatures] = [scaled(100_000), scaled(10_000)];
const size = `${number(certifications)} junk certifications, ${number(selfSignatures)} bogus self-signatures`;
const machine = `${availableParallelism()} cores, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`;
process.stdout.write(`medians of ${rounds} rounds; ${machine}; x: times feedkey's own\n\n`);
process.stdout.write(`${judge("a successor without junk", flooded(stranger, 0, 0, false))}\n\n`);
process.stdout.write(`${judge(`${size}, by strangers`, flooded(stranger, certifications, selfSignatures, false))}\n\n`);
const worst = `${size}, in the issuer's name, with the right digest`;
process.stdout.write(`${judge(worst, flooded(seed, certifications, selfSignatures, true))}\n`);
