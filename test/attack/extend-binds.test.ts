// Attack: a copy of the archive's certificate with the binding of its subkey behind a stray one, for `key extend` to say anew.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { ownCertificates } from "../../src/archive/signing-key.ts";
import { readKeys } from "../../src/openpgp/read-keys.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { documentOf, runHere } from "../cases/cli.ts";
import { allFramed } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";

const stray = ed25519Key("extend-stray");

describe("attack: what a key says anew of its subkeys", () => {
  it("is not said of another's, whatever stands behind that in a copy", async () => {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-attack-"));
    const home = join(folder, "stick");
    const keep = async (...args: readonly string[]) => {
      const ended = await runHere(["--json", ...args]);
      expect(ended.status, ended.stdout).to.equal(0);
      return documentOf(ended);
    };
    try {
      const making = ["keygen", "--user-id", "Archive <archive@example.org>", "--expires", "30d"];
      const { fingerprint } = await keep("--home", join(folder, "home"), ...making, "--offline-primary", home);
      const file = join(home, "certs", `${fingerprint}.asc`);
      const [own] = readKeys(await fs.readFile(file)).certificates;
      const [subkey] = own?.subkeys ?? [];
      const copy = [own?.primary, { tag: 14, body: stray.body }, ...(subkey?.signatures ?? [])];
      await fs.writeFile(join(folder, "copy.pgp"), allFramed(copy.flatMap((packet) => packet ?? [])));
      await keep("--home", home, "key", "import", join(folder, "copy.pgp"));
      await keep("--home", home, "key", "extend", String(fingerprint), "--expires", "300d");
      const facts = (await ownCertificates(await KeyStore.open(home))).get(String(fingerprint))?.facts;
      const bindings = facts?.subkeys.map((one) => [one.fingerprint === stray.fingerprint, one.bindings.length]);
      expect(bindings).to.deep.equal([
        [false, 2],
        [true, 0],
      ]);
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });
});
