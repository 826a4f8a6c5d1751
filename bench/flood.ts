/**
 * `node dist/bench/flood.js [WORDS...]`: keys that somebody flooded with junk, judged beside sqv and gpgv over the same packets;
 * with words only the cases that have one of them in their title.
 * FEEDKEY_BENCH_RUNS: rounds that count (3). FEEDKEY_BENCH_SCALE: share of the full sizes (1). FEEDKEY_BENCH_GPGV=1: gpgv
 * too, which takes minutes for some of them.
 */
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
import { inFolder } from "./folder.ts";
import { type Contender, measure } from "./measure.ts";
import { machine, number, roundsOr, scaled } from "./size.ts";
import { table } from "./table.ts";

const rounds = roundsOr(3);
const slowToo = process.env.FEEDKEY_BENCH_GPGV === "1";

const seed = ed25519Key("flood seed");
const successor = ed25519Key("flood successor", { createdAt: day(10) });
const stranger = ed25519Key("flood stranger");

/**
 * Copies of a signature over a key's user ID that are each other's like and all wrong: date and numbers differ.
 * @param honest the two octets of the digest are right, so that nothing short of the public key tells that it is forged
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
function bogus(key: TestKey, count: number, honest: boolean): Packet[] {
  return forgeries(selfSignature({ key }), key, key, count, honest);
}

/** Self-signatures that hold, each a second younger than the one before. */
function genuine(key: TestKey, count: number): Packet[] {
  return Array.from({ length: count }, (_, place) => selfSignature({ key, at: day(11) + place * 1000 }));
}

/** The certificates of an archive: its seed, and the successor with the one certification that matters among the junk. */
interface Archive {
  readonly seed: TestCertificate;
  readonly successor: TestCertificate;
}

function archive(junk: { readonly onSeed?: readonly Packet[]; readonly onSuccessor?: readonly Packet[] }): Archive {
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

/** Certifications of the successor that claim to be by somebody, and self-signatures that claim to be its own. */
function mixed(certifier: TestKey, honest: boolean): Packet[] {
  const like = certification({ by: certifier, of: successor, userId: archiveId, at: day(11) });
  const certifications = forgeries(like, successor, certifier, scaled(100_000), honest);
  return [...bogus(successor, scaled(10_000), honest), ...certifications];
}

/** An archive whose bundle holds these certificates, and whose index the successor signed. */
function contenders(folder: string, flood: Archive): Contender[] {
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
  return [
    { name: "feedkey verify", command: feedkey("verify", index, "--profile", profile, "--no-state") },
    { name: "sqv", command: ["sqv", ...stock] },
    ...(slowToo ? [{ name: "gpgv (one round)", command: ["gpgv", "--quiet", ...stock] as const, once: true }] : []),
  ];
}

async function judge(what: string, flood: Archive): Promise<void> {
  await inFolder((folder) => {
    process.stdout.write(`${table(what, measure(contenders(folder, flood), rounds, folder))}\n\n`);
  });
}

process.stdout.write(`medians of ${rounds} rounds; ${machine}; x: times feedkey's own\n\n`);
const [many, few] = [number(scaled(100_000)), number(scaled(10_000))];
const cases: readonly (readonly [string, () => Archive])[] = [
  ["no junk", () => archive({})],
  [
    `${many} bogus self-signatures on the successor`,
    () => archive({ onSuccessor: bogus(successor, scaled(100_000), false) }),
  ],
  [
    `${many} bogus self-signatures on the successor, with the right digest`,
    () => archive({ onSuccessor: bogus(successor, scaled(100_000), true) }),
  ],
  [`${many} bogus self-signatures on the seed`, () => archive({ onSeed: bogus(seed, scaled(100_000), false) })],
  [
    `${many} bogus self-signatures on the seed, with the right digest`,
    () => archive({ onSeed: bogus(seed, scaled(100_000), true) }),
  ],
  [
    `${many} junk certifications, ${few} bogus self-signatures, by strangers`,
    () => archive({ onSuccessor: mixed(stranger, false) }),
  ],
  [
    `${many} junk certifications, ${few} bogus self-signatures, in the issuer's name, with the right digest`,
    () => archive({ onSuccessor: mixed(seed, true) }),
  ],
  [
    `${many} genuine self-signatures on the successor`,
    () => archive({ onSuccessor: genuine(successor, scaled(100_000)) }),
  ],
];
const wanted = process.argv.slice(2);
for (const [what, make] of cases) {
  if (wanted.length === 0 || wanted.some((word) => what.includes(word))) await judge(what, make());
}
