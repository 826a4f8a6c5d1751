/** `keygen --certify-only`: a master's key, which certifies and never signs; real gpg says the same of it. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { GnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";

const userId = "Example Archive Signing Key <archive@example.org>";

describe("keygen --certify-only", function () {
  this.timeout(60_000);
  let folder: string;

  before(needing("gpg"));

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-master-"));
  });

  afterEach(() => fs.rm(folder, { recursive: true }));

  async function keygen(...args: readonly string[]) {
    const ended = await runHere(["--home", folder, "--json", "keygen", "--user-id", userId, "--certify-only", ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  for (const algorithm of ["ed25519", "p256", "rsa3072"]) {
    it(`${algorithm}: one key, which only certifies, and ends when it should`, async () => {
      const { document } = await keygen("--algorithm", algorithm, "--expires", "5y");
      const gpg = await GnupgHome.make();
      try {
        await gpg.run("--import", join(folder, "private", `${document.fingerprint}.asc`));
        const listed = (await gpg.run("--with-colons", "--list-secret-keys")).split("\n");
        const rows = listed.filter((line) => /^(sec|ssb):/.test(line)).map((line) => line.split(":"));
        expect(rows).to.have.length(1);
        const [kind, expires, capabilities, secret] = [0, 6, 11, 14].map((field) => rows[0]?.[field] ?? "");
        expect([kind, capabilities, secret]).to.deep.equal(["sec", "cC", "+"]);
        expect(Number(expires) * 1000).to.equal(Date.parse(String(document.expiresAt)));
      } finally {
        await gpg.remove();
      }
    });
  }

  it("is locked like any other key", async () => {
    const passphrase = join(folder, "passphrase");
    await fs.writeFile(passphrase, "correct horse\n", { mode: 0o600 });
    const { document } = await keygen("--passphrase-file", passphrase);
    const revoke = [
      "--home",
      folder,
      "--json",
      "revoke",
      String(document.fingerprint),
      "--reason",
      "retired",
      "--force",
    ];
    const unasked = await runHere(revoke);
    expect(documentOf(unasked).error?.code).to.equal("bad_config");
    expect((await runHere([...revoke, "--passphrase-file", passphrase])).status).to.equal(0);
  });

  it("is refused for version 6, and together with a signing subkey", async () => {
    for (const args of [
      ["--algorithm", "ed25519-v6"],
      ["--offline-primary", join(folder, "stick")],
    ]) {
      const { status, document } = await keygen(...args);
      expect([status, document.error?.code]).to.deep.equal([2, "usage"]);
    }
    expect(await fs.readdir(folder)).to.deep.equal([]);
  });
});
