// Indexes signed by the programs that archives use today: feedkey must read every signature that they write.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { index } from "../testkit/archives/signed-index.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";

const userId = "Example Archive Signing Key <archive@example.org>";

describe("peers: signatures that others make", function () {
  this.timeout(60_000);

  let folder = "";

  before(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-peer-"));
    await fs.writeFile(join(folder, "Packages"), index);
    await fs.mkdir(join(folder, "gnupg"), { mode: 0o700 });
  });

  after(async () => {
    await runProgram("gpgconf", ["--homedir", join(folder, "gnupg"), "--kill", "all"]).catch(() => undefined);
    await fs.rm(folder, { recursive: true, force: true });
  });

  async function done(program: string, ...args: readonly string[]): Promise<string> {
    const ended = await runProgram(program, args);
    expect(ended.status, `${program} ${args.join(" ")}: ${ended.stderr}`).to.equal(0);
    return ended.stdout;
  }

  const gpg = (...args: readonly string[]) => {
    return done("gpg", "--homedir", join(folder, "gnupg"), "--batch", "--yes", "--passphrase", "", ...args);
  };

  /** `verify` with that certificate as the only seed. */
  async function expectAccepted(keyring: string, seed: string, signature: string): Promise<void> {
    const lines = ["[archive]", "name = Example", `url = file://${folder}/`, "user-email = archive@example.org"];
    lines.push("[trust]", `keyring = ${keyring}`, `seeds = ${seed}`, "keyservers = none");
    lines.push("[feed base]", "format = opkg", "path = .");
    await fs.writeFile(join(folder, "example.ini"), `${lines.join("\n")}\n`);
    const global = ["--profile", join(folder, "example.ini"), "--state", join(folder, "state"), "--json"];
    const at = ["--at", iso(Date.now())];
    const verify = ["verify", "--no-state", join(folder, "Packages"), "--signature", signature];
    const ended = await runHere([...global, ...at, ...verify]);
    expect(ended.status, ended.stdout).to.equal(0);
    expect(documentOf(ended).signatures).to.have.nested.property("[0].certificate", seed);
  }

  for (const algorithm of ["ed25519", "rsa3072", "nistp256"]) {
    it(`gpg, ${algorithm}: twenty binary and armored ones`, async function () {
      needing("gpg").call(this);
      const name = `${userId.replace("Key", algorithm)}`;
      await gpg("--quick-generate-key", name, algorithm, "cert,sign", "2y");
      const listing = await gpg("--with-colons", "--list-keys", `=${name}`);
      const seed = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? "";
      const keyring = join(folder, `${algorithm}.pgp`);
      await gpg("--output", keyring, "--export", seed);
      // Numbers with leading zeros, which are spelled shorter, come by chance.
      for (let i = 0; i < 10; i++) {
        for (const form of [[], ["--armor"]]) {
          const signature = join(folder, "signature");
          const sign = ["--digest-algo", "SHA256", ...form, "--local-user", seed, "--output", signature];
          await gpg(...sign, "--detach-sign", join(folder, "Packages"));
          await expectAccepted(keyring, seed, signature);
        }
      }
    });
  }

  it("sq", async function () {
    const version = await runProgram("sq", ["--version"]).catch(() => undefined);
    if (!presentOrSkip(this, version?.status === 0 && version, "sq is not installed")) return;
    const secret = join(folder, "sq.key");
    const keyring = join(folder, "sq.pgp");
    await done("sq", "key", "generate", "--userid", userId, "--export", secret);
    await done("sq", "key", "extract-cert", "--output", keyring, secret);
    const listing = await done("gpg", "--homedir", join(folder, "gnupg"), "--with-colons", "--show-keys", keyring);
    const seed = /^fpr:+([0-9A-F]{40}):/m.exec(listing)?.[1] ?? "";
    for (const form of [[], ["--binary"]]) {
      const signature = join(folder, "signature");
      await fs.rm(signature, { force: true });
      const sign = ["sign", "--detached", "--signer-key", secret, "--output", signature, ...form];
      await done("sq", ...sign, join(folder, "Packages"));
      await expectAccepted(keyring, seed, signature);
    }
  });
});
