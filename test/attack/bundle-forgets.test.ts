// Attack, and nobody's fault: a key store that does not have all of the archive's keys writes the bundle; or somebody who
// can write to the published tree put a key of his own into it.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type RawCertificate, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { certify } from "../../src/openpgp/secret/amend.ts";
import { bundlePath } from "../../src/profile/layout.ts";
import { openSigningKey } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { type Instant, iso } from "../../src/time.ts";
import { addKey, archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { day } from "../testkit/dates.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { withEmbedded } from "../testkit/servers/key-servers.ts";
import { snapshot } from "../testkit/snapshot.ts";

const bundleOf = ({ archive }: Life) => join(archive.site, bundlePath);

async function bundled(life: Life): Promise<Map<string, RawCertificate>> {
  const { certificates } = readKeys(await fs.readFile(bundleOf(life)));
  return new Map(certificates.map((certificate) => [certificate.fingerprint, certificate]));
}

/** Puts certificates into the bundle, as whoever can write to the published tree can. */
async function slip(life: Life, ...certificates: readonly RawCertificate[]): Promise<void> {
  const all = [await fs.readFile(bundleOf(life)), ...certificates.map(writeCertificate)];
  await fs.writeFile(bundleOf(life), Buffer.concat(all));
}

/** A command of the keepers on another key store. */
async function keepAt(home: string, at: Instant, ...args: readonly string[]) {
  const ended = await runHere(["--home", home, "--json", "--at", iso(at), ...args]);
  return { status: ended.status, document: documentOf(ended) };
}

async function mustAt(home: string, at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
  const { status, document } = await keepAt(home, at, ...args);
  expect({ status, error: document.error }, args.join(" ")).to.deep.equal({ status: 0, error: undefined });
  return document;
}

/** A copy of the key store as a stick has it: its records stay at home. */
async function carriedAway(life: Life): Promise<string> {
  const away = join(life.archive.folder, "away");
  await mustAt(life.archive.home, day(1), "key", "backup", away);
  return away;
}

/** A build machine with a delegation by the first key. */
async function delegated(life: Life): Promise<string> {
  const machines = join(life.archive.folder, "machines");
  const machine = await addKey(machines, { userId: "Machine <machine@example.org>", at: day(0) });
  const request = join(machines, "certs", `${machine}.asc`);
  const terms = ["--key", life.first, "--feeds", "base", "--expires", "90d", "--config", life.archive.config];
  await life.keep(day(1), "delegate", request, ...terms);
  return machine;
}

/** Certifies a certificate with a key of some store. */
async function certified(home: string, issuer: string, subject: RawCertificate): Promise<RawCertificate> {
  const { secret } = await openSigningKey(await KeyStore.open(home), issuer, async () => "");
  return await certify(secret, subject, archiveUserId, { type: 0x10, at: day(1) });
}

async function certificateIn(home: string, fingerprint: string): Promise<RawCertificate> {
  const { certificates } = readKeys(Buffer.from(await (await KeyStore.open(home)).certificate(fingerprint)));
  const [found] = certificates;
  if (found === undefined) throw new Error(`no certificate of ${fingerprint}`);
  return found;
}

/** A stranger's key with the archive's user ID, and the first key's certificate with his certification on it. */
async function stranger(life: Life): Promise<{ name: string; slipped: RawCertificate[] }> {
  const home = join(life.archive.folder, "stranger");
  const name = await addKey(home, { at: day(0) });
  const first = await certified(home, name, await certificateIn(life.archive.home, life.first));
  return { name, slipped: [await certificateIn(home, name), first] };
}

describe("the bundle: written by a key store that knows less", () => {
  it("keeps delegates, predecessors and successors of other stores, and clients of every generation follow", async () => {
    await inLife(async (life) => {
      const { archive, first } = life;
      const away = await carriedAway(life);
      const machine = await delegated(life);
      const rotate = ["rotate", "--config", archive.config, "--force", "--expires", "10y"];
      const second = String((await mustAt(away, day(2), ...rotate)).successor);
      expect([...(await bundled(life)).keys()]).to.have.members([first, machine, second]);
      // The store at home has never seen the successor.
      await life.publish(day(3));
      expect([...(await bundled(life)).keys()]).to.have.members([first, machine, second]);
      const { trusted } = await (await life.client("old")).chain(day(4));
      expect([trusted.get(second)?.role, trusted.get(machine)?.role]).to.deep.equal(["successor", "delegate"]);
      const machines = join(archive.folder, "machines");
      await mustAt(machines, day(5), "sign", archive.file("Packages"), "--feed", "base", "--key", machine);
      const { done } = await mustAt(away, day(6), "rotate", "--config", archive.config, "--finish", "--force");
      expect(done).to.include(`feed "base" stays signed by its delegate ${machine}: delegate again`);
    });
  });

  it("keeps a revocation that only another store has, and does not publish with that key", async () => {
    await inLife(async (life) => {
      const { archive, first } = life;
      const away = await carriedAway(life);
      const revoke = ["revoke", first, "--reason", "compromised", "--force", "--config", archive.config];
      await mustAt(away, day(2), ...revoke);
      await archive.addPackage("news");
      await archive.refuseKeeper({ code: "revoked", status: 1 }, day(3), "publish", "--config", archive.config);
      const other = await addKey(archive.home, { at: day(3) });
      await life.configure(other);
      await life.publish(day(4));
      await (await life.client("old")).refuse({ code: "untrusted_signer", status: 1 }, day(4), "update");
      const { rejected } = await (await life.client("older")).chain(day(4));
      expect(rejected.get(first)?.code).to.equal("revoked");
    });
  });

  it("tells who loses their chain, of all generations", async () => {
    await inLife(async (life) => {
      const { archive, first } = life;
      const second = await life.rotate(day(2), "--at-once");
      // The stick has the second key alone.
      const away = join(archive.folder, "away");
      const file = join(archive.folder, "second.asc");
      await fs.copyFile(join(archive.home, "private", `${second}.asc`), file);
      await mustAt(away, day(3), "key", "import", file);
      const revoke = ["revoke", second, "--reason", "compromised", "--config", archive.config, "--dry-run"];
      const { generations } = await mustAt(away, day(3), ...revoke);
      const seeds = (generations as { seed: string }[]).map(({ seed }) => seed);
      expect(seeds).to.have.members([first, second]);
    });
  });
});

describe("attack: a stranger's key in the bundle", () => {
  it("goes at the next publication, which says so", async () => {
    await inLife(async (life) => {
      const { name, slipped } = await stranger(life);
      await slip(life, ...slipped);
      const { warnings = [] } = await life.keep(day(2), "publish", "--config", life.archive.config);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include(`left out of the key bundle: ${name}`);
      expect([...(await bundled(life)).keys()]).to.deep.equal([life.first]);
      expect((await life.keep(day(3), "publish", "--config", life.archive.config)).warnings).to.equal(undefined);
    });
  });

  it("is for its keepers to judge where the store never wrote the bundle: it may be one that it does not know", async () => {
    await inLife(async (life) => {
      const { archive } = life;
      const away = await carriedAway(life);
      const { name, slipped } = await stranger(life);
      await slip(life, ...slipped);
      const before = await snapshot(archive.site);
      const publish = ["publish", "--config", archive.config];
      const { status, document } = await keepAt(away, day(2), ...publish);
      expect({ status, code: document.error?.code }).to.deep.equal({ status: 78, code: "bad_config" });
      expect(document.error?.details.certificates).to.deep.equal([name]);
      expect(document.error?.hint).to.include(`feedkey key import ${bundleOf(life)}`);
      expect(await snapshot(archive.site)).to.deep.equal(before);
      await mustAt(away, day(3), "key", "import", bundleOf(life));
      await mustAt(away, day(3), ...publish);
      expect([...(await bundled(life)).keys()]).to.have.members([life.first, name]);
    });
  });

  it("keeps no revocation from the key servers", async () => {
    await withEmbedded(async ({ url }) => {
      await inLife(
        async (life) => {
          const away = await carriedAway(life);
          await slip(life, ...(await stranger(life)).slipped);
          const args = ["revoke", life.first, "--reason", "compromised", "--force", "--config", life.archive.config];
          const { status, document } = await keepAt(away, day(2), ...args);
          expect({ status, code: document.error?.code }).to.deep.equal({ status: 78, code: "bad_config" });
          await (await life.client("one")).refuse({ code: "revoked", status: 1 }, day(2), "update");
        },
        { servers: [url] },
      );
    });
  });

  it("certified by a stolen key: goes when that is revoked", async () => {
    await inLife(async (life) => {
      const { archive } = life;
      const recovery = await addKey(archive.home, { at: day(0) });
      const thief = join(archive.folder, "thief");
      const name = await addKey(thief, { at: day(1) });
      await slip(life, await certified(archive.home, life.first, await certificateIn(thief, name)));
      await life.publish(day(2));
      expect([...(await bundled(life)).keys()]).to.include(name);
      await life.configure(recovery);
      const { done } = await life.revoke(day(3), life.first, "compromised", "--force");
      expect(String(done)).to.include(`left out of the key bundle: ${name}`);
      expect([...(await bundled(life)).keys()]).to.have.members([life.first, recovery]);
    });
  });

  for (const [what, bytes] of [
    ["nothing", new Uint8Array()],
    ["garbage", Buffer.from("not a keyring at all\n")],
    ["half of a packet", Buffer.from([0xc6, 0x33, 4, 1, 2])],
  ] as const) {
    it(`${what} in the bundle's place is replaced`, async () => {
      await inLife(async (life) => {
        await fs.writeFile(bundleOf(life), bytes);
        await life.publish(day(2));
        expect([...(await bundled(life)).keys()]).to.deep.equal([life.first]);
      });
    });
  }
});
