// Attack: subkeys that `key extend` must not let hold: one that a copy of the certificate has from somebody else, and a former one.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { ownCertificates } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { iso } from "../../src/time.ts";
import { refuseSubkey } from "../../src/trust/key-state.ts";
import { archiveId, certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, armored, concat } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";

const stray = ed25519Key("extend-stray");

const year = 365 * 86_400;

async function keep(...args: readonly string[]): Promise<JsonDocument> {
  const ended = await runHere(["--json", ...args]);
  expect(ended.status, ended.stdout).to.equal(0);
  return documentOf(ended);
}

describe("attack: what a key says anew of its subkeys", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-attack-"));
  });

  afterEach(() => fs.rm(folder, { recursive: true }));

  async function subkeysIn(home: string, fingerprint: string) {
    return (await ownCertificates(await KeyStore.open(home))).get(fingerprint)?.facts.subkeys ?? [];
  }

  it("is not said of another's, whatever stands behind that in a copy", async () => {
    const home = join(folder, "stick");
    const making = ["keygen", "--user-id", archiveId, "--expires", "30d", "--offline-primary", home];
    const fingerprint = String((await keep("--home", join(folder, "home"), ...making)).fingerprint);
    const [own] = readKeys(await fs.readFile(join(home, "certs", `${fingerprint}.asc`))).certificates;
    const copy = [own?.primary, { tag: 14, body: stray.body }, ...(own?.subkeys[0]?.signatures ?? [])];
    const bytes = allFramed(copy.flatMap((packet) => packet ?? []));
    await fs.writeFile(join(folder, "copy.pgp"), bytes);
    await keep("--home", home, "key", "import", join(folder, "copy.pgp"));
    const bindings = async () => {
      const subkeys = await subkeysIn(home, fingerprint);
      return subkeys.map((one) => [one.fingerprint === stray.fingerprint, one.bindings.length]);
    };
    expect(await bindings(), "it is not taken in").to.deep.equal([[false, 1]]);
    // As a store may have it from before.
    const present = own === undefined ? new Uint8Array() : writeCertificate(own);
    await fs.writeFile(join(home, "certs", `${fingerprint}.asc`), armored("PUBLIC KEY BLOCK", concat(present, bytes)));
    expect(await bindings()).to.deep.equal([
      [false, 1],
      [true, 0],
    ]);
    await keep("--home", home, "key", "extend", fingerprint, "--expires", "300d");
    expect(await bindings()).to.deep.equal([[false, 2]]);
  });

  for (const [when, at] of [
    ["while the key holds", day(100)],
    ["when the key has expired too", day(400)],
  ] as const) {
    it(`is not said of one that expired long before: its secret may be anybody's, ${when}`, async () => {
      const [primary, present, former] = ["extend-primary", "extend-present", "extend-former"].map((name) => {
        return ed25519Key(name);
      }) as [TestKey, TestKey, TestKey];
      const subkeys = [
        { key: former, keyExpiresAfter: 30 * 86_400 },
        { key: present, keyExpiresAfter: year },
      ];
      const block = secretKeyBlock(certificate({ key: primary, keyExpiresAfter: year, subkeys }), [present, former]);
      await fs.writeFile(join(folder, "secret.asc"), block, { mode: 0o600 });
      const dated = ["--home", join(folder, "home"), "--at", iso(at)];
      await keep(...dated, "key", "import", join(folder, "secret.asc"));
      await keep(...dated, "key", "extend", primary.fingerprint, "--expires", "2y");
      const found = await subkeysIn(join(folder, "home"), primary.fingerprint);
      const holds = (key: TestKey) => {
        const facts = found.find(({ fingerprint }) => fingerprint === key.fingerprint);
        return facts && refuseSubkey(facts, at)?.code;
      };
      expect([holds(present), holds(former)]).to.deep.equal([undefined, "expired"]);
    });
  }
});
