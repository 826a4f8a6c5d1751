// Attack: lists so long that they do not fit on the stack, wherever somebody else decides how long they are.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { offersAmong } from "../../src/trust/delegation-offers.ts";
import type { CertificateFacts } from "../../src/trust/facts.ts";
import { hour, inArchive, inUse, published } from "../testkit/archives/opkg-archive.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { delegation, machine, nameOf } from "../testkit/delegations.ts";
import { concat, framed } from "../testkit/framing.ts";
import { factsOf } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, runHere, runProcess } from "../testkit/programs/command-line.ts";
import { area, issuerKeyId, notation } from "../testkit/subpackets.ts";

/** More than V8 puts on its stack of 984 KiB. */
const tooMany = 150_000;

/** A sixth of the usual stack, so that a sixth of the usual list is too long. */
const onSmallStack = { node: ["--stack-size=160"] };
const tooManyThere = 25_000;

const claimed = ed25519Key("long-lists-claimed");

/** Bare keys that each claim to be a delegate of one key, whose certificate comes last. */
function claimants(count: number): Uint8Array {
  const hashed = area([notation("delegate@", ""), issuerKeyId(claimed)]);
  const signature = Buffer.concat([Uint8Array.of(4, 0x10, 22, 8, 0, hashed.length), hashed, Buffer.alloc(14)]);
  const one = Buffer.concat([
    framed({ tag: 6, body: Buffer.from([4, 0, 0, 0, 0, 27, ...Buffer.alloc(32)]) }),
    framed({ tag: 13, body: Buffer.from("m") }),
    framed({ tag: 2, body: signature }),
  ]);
  const all = Buffer.alloc(one.length * count);
  for (let i = 0; i < count; i++) {
    all.set(one, i * one.length);
    all.writeUInt32BE(i, i * one.length + 3);
  }
  return concat(all, certificate({ key: claimed, userIds: [archiveId] }).bytes);
}

describe("attack: lists that do not fit on the stack", function () {
  this.timeout(60_000);

  it("of certificates in one mirror's bundle leave the other mirror's news in force", async () => {
    await inArchive(async (archive) => {
      const args = ["revoke", archive.key, "--reason", "compromised", "--force", "--config", archive.config];
      const keyring = join(archive.folder, "seed.pgp");
      await fs.copyFile(join(archive.home, "certs", `${archive.key}.asc`), keyring);
      await archive.writeProfile({ keyring, mirrors: [`file://${archive.site}/`] });
      archive.mirror.put("keys/archive-keyring.pgp", claimants(tooManyThere));
      await runHere(archive.keeperArgs(published + 2 * hour, ...args));
      const ended = await runProcess(archive.clientArgs(published + 3 * hour, "update"), onSmallStack);
      expect([ended.status, documentOf(ended).error?.code], ended.stdout).to.deep.equal([1, "revoked"]);
    });
  });

  it("of one stolen key's words about one delegate are one offer", async () => {
    const by = ed25519Key("long-lists-thief");
    const userId = nameOf.get(machine) ?? "";
    const one = certificate({ key: machine, userIds: [userId], certifiedBy: [delegation(by, machine, { userId })] });
    const issuer = await factsOf(certificate({ key: by }));
    const facts = await factsOf(one, certificate({ key: by }));
    const [named] = facts.userIds;
    const [word] = named?.certifications ?? [];
    if (named === undefined || word === undefined) throw new Error("no delegation was read");
    const subject: CertificateFacts = { ...facts, userIds: Array.from({ length: tooMany }, () => named) };
    const certificates = new Map([issuer, subject].map((each) => [each.primary.fingerprint, each]));
    const policy = { identity: { kind: "user-email", email: "archive@example.org" }, at: day(50) } as const;
    const offers = [...offersAmong(certificates, policy).values()].flat();
    expect(offers).to.have.length(1);
    expect(offers[0]).to.include({ depth: 0, expiresAt: word.expiresAt, refusal: undefined });
  });

  it("of package files below one folder are told one by one", async () => {
    await inUse(async (archive) => {
      const folder = join(archive.folder, "packages");
      await fs.mkdir(join(folder, "many"), { recursive: true });
      const names = Array.from({ length: tooManyThere }, (_, i) => `p${i}.ipk`);
      const [first = "", ...others] = names.map((name) => join(folder, "many", name));
      await fs.writeFile(first, "");
      for (const other of others) await fs.link(first, other);
      const args = ["verify", archive.file("Packages"), "--no-state", "--packages", folder];
      const ended = await runProcess(archive.clientArgs(published + 2 * hour, ...args), onSmallStack);
      expect([ended.status, documentOf(ended).error?.code]).to.deep.equal([1, "not_listed"]);
    });
  });
});
