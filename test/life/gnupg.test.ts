// GnuPG and Sequoia agree with what feedkey makes, at each moment of a key's life. Dates lie in the past by the real clock.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { bundlePath } from "../../src/profile/layout.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { type GnupgHome, inGnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";

const length = 86_400_000;
const begins = Math.floor(Date.now() / 1000) * 1000 - 200 * length;
const on = (days: number) => begins + days * length;
const live = (action: (life: Life) => Promise<void>, keygen?: readonly string[]) => {
  return inLife(action, { begins, ...(keygen === undefined ? {} : { keygen }) });
};

/** A signature as `--check-sigs --with-colons` shows it. */
interface Shown {
  readonly kind: "sig" | "rev";
  /** `!` good, `-` bad, `?` no key. */
  readonly verdict: string;
  readonly by: string;
  readonly expiresAt: string;
  /** Its type, and a revocation's reason: `10x`, `13x`, `30x,00`, `20x,02`. */
  readonly type: string;
}

/** What gpg says of one certificate: its validity letter and every signature on it. */
async function shown(gpg: GnupgHome, fingerprint: string): Promise<{ validity: string; signatures: Shown[] }> {
  const text = await gpg.run("--with-colons", "--no-auto-check-trustdb", "--check-sigs", fingerprint);
  const lines = text.split("\n").map((line) => line.split(":"));
  const signatures = lines
    .filter(([kind]) => kind === "sig" || kind === "rev")
    .map((fields) => ({
      kind: fields[0] as "sig" | "rev",
      verdict: fields[1] ?? "",
      by: fields[4] ?? "",
      expiresAt: fields[6] ?? "",
      type: fields[10] ?? "",
    }));
  return { validity: lines.find(([kind]) => kind === "pub")?.[1] ?? "", signatures };
}

const keyId = (fingerprint: string) => fingerprint.slice(-16);
const bundle = ({ archive }: Life) => join(archive.site, bundlePath);

describe("GnuPG: what it says of our signatures", function () {
  this.timeout(60_000);
  before(needing("gpg"));

  it("certifications are good, both ways, with their expiry", async () => {
    await live(async (life) => {
      const second = await life.rotate(on(10), "--overlap", "300d");
      await inGnupgHome(async (gpg) => {
        await gpg.run("--import", bundle(life));
        const end = String((on(10) + 300 * length) / 1000);
        const onSecond = await shown(gpg, second);
        const onFirst = await shown(gpg, life.first);
        const good = { kind: "sig", verdict: "!" };
        expect(onSecond.signatures).to.deep.include.members([
          { ...good, by: keyId(second), expiresAt: "", type: "13x" },
          { ...good, by: keyId(life.first), expiresAt: "", type: "10x" },
        ]);
        expect(onFirst.signatures).to.deep.include({ ...good, by: keyId(second), expiresAt: end, type: "10x" });
        for (const { verdict } of [...onSecond.signatures, ...onFirst.signatures]) expect(verdict).to.equal("!");
      });
    });
  });

  it("a certification that was withdrawn (0x30), and the revocation of the successor that went wrong", async () => {
    await live(async (life) => {
      const wrong = await life.rotate(on(10));
      await life.keep(on(12), "rotate", "--config", life.archive.config, "--abandon");
      await inGnupgHome(async (gpg) => {
        await gpg.run("--import", bundle(life));
        const { validity, signatures } = await shown(gpg, wrong);
        expect(validity).to.equal("r");
        const withdrawn = { kind: "rev", verdict: "!", by: keyId(life.first), expiresAt: "", type: "30x,00" };
        expect(signatures).to.deep.include(withdrawn);
        for (const { verdict } of signatures) expect(verdict).to.equal("!");
      });
    });
  });

  for (const [reason, code] of [
    ["compromised", "02"],
    ["superseded", "01"],
    ["retired", "03"],
    ["unspecified", "00"],
  ] as const) {
    it(`a revocation as ${reason} revokes, with its reason`, async () => {
      await live(async (life) => {
        await life.revoke(on(10), life.first, reason, "--force");
        await inGnupgHome(async (gpg) => {
          await gpg.run("--import", bundle(life));
          const { validity, signatures } = await shown(gpg, life.first);
          const revocations = signatures.filter(({ kind }) => kind === "rev");
          expect({ validity, revocations: revocations.map(({ verdict, type }) => verdict + type) }).to.deep.equal({
            validity: "r",
            revocations: [`!20x,${code}`],
          });
        });
      });
    });
  }

  it("each revocation certificate of the safe revokes by itself", async () => {
    await live(async (life) => {
      for (const reason of ["compromised", "superseded", "retired"]) {
        await inGnupgHome(async (gpg) => {
          await gpg.run("--import", bundle(life));
          expect((await shown(gpg, life.first)).validity).to.not.equal("r");
          await gpg.run("--import", join(life.archive.home, "revocations", `${life.first}-${reason}.asc`));
          expect((await shown(gpg, life.first)).validity, reason).to.equal("r");
        });
      }
    });
  });
});

describe("gpgv and sqv: the indexes at each moment of a rotation", function () {
  this.timeout(60_000);
  before(needing("gpgv", "sqv"));

  /** Exit statuses of gpgv and sqv over what is published, with the certificates of a keyring. */
  async function judged({ archive }: Life, keyring: string): Promise<(number | null)[]> {
    const args = ["--keyring", keyring, archive.file("Packages.sig"), archive.file("Packages")];
    const ended = await Promise.all(["gpgv", "sqv"].map((program) => runProgram(program, args)));
    return ended.map(({ status }) => status);
  }

  for (const [what, keygen] of [
    ["Ed25519, then Ed25519", ["--expires", "10y"]],
    ["RSA, then Ed25519", ["--expires", "10y", "--algorithm", "rsa3072"]],
  ] as const) {
    it(`${what}: accepted with the bundle as it was then`, async () => {
      await live(async (life) => {
        /** What a stock client imported at that moment. */
        const asItWas = async (name: string) => {
          const copy = join(life.archive.folder, `${name}.pgp`);
          await fs.copyFile(bundle(life), copy);
          return copy;
        };
        const before = await asItWas("before");
        expect(await judged(life, before), "before").to.deep.equal([0, 0]);
        await life.rotate(on(10), "--overlap", "300d");
        const during = await asItWas("during");
        for (const keyring of [before, during]) expect(await judged(life, keyring)).to.deep.equal([0, 0]);
        await life.publish(on(20));
        for (const keyring of [before, during]) expect(await judged(life, keyring)).to.deep.equal([0, 0]);
        await life.rotate(on(30), "--finish", "--force");
        expect(await judged(life, during), "after").to.deep.equal([0, 0]);
        expect(await judged(life, before), "never imported the successor").to.not.include(0);
        await life.revoke(on(40), life.first, "superseded", "--force");
        await life.publish(on(50));
        for (const keyring of [during, await asItWas("after")]) {
          expect(await judged(life, keyring), "retired").to.deep.equal([0, 0]);
        }
      }, keygen);
    });
  }
});
