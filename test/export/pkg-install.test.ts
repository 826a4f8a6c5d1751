/** The keyring for pkg_install: its verifier reads binary RSA certificates and nothing else, so real gpg tells what is in the file. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { archiveId, certificate, secretKeyBlock } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { needing } from "../testkit/programs/programs.ts";
import { certification } from "../testkit/signature.ts";

const [rsa, other, curve, sub] = [rsaKey("rsa-a"), rsaKey("rsa-b"), ed25519Key("curve"), ed25519Key("sub")];

/** An RSA key whose key ID begins with 00: one in 256 dates makes one. */
function zeroKey(): TestKey {
  for (let seconds = 0; ; seconds++) {
    const key = rsaKey("rsa-a", { createdAt: day(0) + seconds * 1000 });
    if (key.keyId.startsWith("00")) return key;
  }
}

describe("export for pkg_install", () => {
  let archive: LiveArchive;
  let keyring: string;

  before(needing("gpg"));

  beforeEach(async () => {
    archive = await LiveArchive.make();
    keyring = join(archive.folder, "pkgsrc.gpg");
  });

  afterEach(() => archive.remove());

  /** Takes keys into the key store, lets the key server know them, and ships them all as seeds. */
  async function ship(...blocks: readonly { readonly fingerprint: string; readonly block: string }[]): Promise<void> {
    for (const { block } of blocks) await archive.importKey(block);
    const names = blocks.map(({ fingerprint }) => fingerprint);
    await archive.writeConfig(names[0] ?? "");
    await archive.keep("send", ...names, "--config", archive.config);
    await archive.ship(...names);
  }

  function open(options: Parameters<typeof certificate>[0], ...subkeys: readonly TestKey[]) {
    const made = certificate(options);
    return { fingerprint: made.fingerprint, block: secretKeyBlock(made, subkeys) };
  }

  const exporting = ["export", "--for", "pkg_install"] as const;

  /** What gpg finds in the file: keys by fingerprint with algorithm, signatures by issuer. */
  async function packets() {
    const bytes = await fs.readFile(keyring);
    expect((bytes[0] ?? 0) & 0x80, "binary").to.equal(0x80);
    const listing = await runProgram("gpg", ["--homedir", archive.folder, "--batch", "--list-packets", keyring]);
    expect(listing.status, listing.stderr).to.equal(0);
    return {
      algorithms: [...listing.stdout.matchAll(/^:public (?:sub )?key packet:\n\s+version 4, algo (\d+)/gm)].map(
        ([, algorithm]) => algorithm,
      ),
      issuers: [...listing.stdout.matchAll(/^:signature packet: algo \d+, keyid (\w+)/gm)].map(([, keyId]) => keyId),
    };
  }

  it("holds RSA certificates, binary, and names each other key", async () => {
    await ship(open({ key: rsa }), open({ key: curve }), open({ key: other }));
    const { keys, left, warnings, configuration } = await archive.accept(...exporting, keyring);
    expect(keys).to.have.members([rsa.fingerprint, other.fingerprint]);
    expect(left).to.deep.equal([{ fingerprint: curve.fingerprint, reason: "it is not RSA" }]);
    expect(warnings).to.deep.equal([`${curve.fingerprint} is left out of the export for pkg_install: it is not RSA`]);
    expect(configuration).to.deep.equal([`GPG_KEYRING_VERIFY=${keyring}`]);
    const { algorithms, issuers } = await packets();
    expect(algorithms).to.deep.equal(["1", "1"]);
    expect(issuers).to.have.members([rsa.keyId, other.keyId]);
  });

  it("loses a key that was revoked at the timer's next run", async () => {
    await ship(open({ key: rsa }), open({ key: other }));
    await archive.timer("pkg_install", keyring);
    expect((await packets()).issuers).to.have.members([rsa.keyId, other.keyId]);
    await archive.revokeAsCompromised(rsa.fingerprint);
    await archive.timer("pkg_install", keyring);
    expect(await packets()).to.deep.equal({ algorithms: ["1"], issuers: [other.keyId] });
    // Every packet of the file is accounted for: a certificate is a key, its user IDs and its own signatures.
    const listing = await runProgram("gpg", ["--homedir", archive.folder, "--batch", "--list-packets", keyring]);
    const kinds = [...listing.stdout.matchAll(/^:([a-zA-Z ]+) packet:/gm)].map(([, kind]) => kind);
    expect(kinds).to.deep.equal(["public key", "user ID", "signature"]);
  });

  it("holds no certifications by others", async () => {
    const by = (key: TestKey) => certification({ by: key, of: rsa, userId: archiveId, at: day(1) });
    await ship(open({ key: curve }), open({ key: rsa, certifiedBy: [by(curve), by(other)] }));
    const { keys } = await archive.accept(...exporting, keyring);
    expect(keys).to.deep.equal([rsa.fingerprint]);
    expect(await packets()).to.deep.equal({ algorithms: ["1"], issuers: [rsa.keyId] });
  });

  it("leaves a subkey behind that signs nothing, of whatever kind it is", async () => {
    await ship(open({ key: rsa, subkeys: [{ key: sub, flags: ["encrypt"], backSignature: "none" }] }, sub));
    const { keys } = await archive.accept(...exporting, keyring);
    expect(keys).to.deep.equal([rsa.fingerprint]);
    expect(await packets()).to.deep.equal({ algorithms: ["1"], issuers: [rsa.keyId] });
  });

  it("holds no certificate that may sign by a subkey of another kind", async () => {
    await ship(open({ key: rsa, subkeys: [sub] }, sub));
    const { keys, left, warnings } = await archive.accept(...exporting, keyring);
    expect({ keys, left }).to.deep.equal({
      keys: [],
      left: [{ fingerprint: rsa.fingerprint, reason: "it is not RSA" }],
    });
    expect(warnings?.join("\n")).to.include("the export is empty");
    expect(await fs.readFile(keyring, "utf8")).to.equal("");
  });

  it("holds no key whose key ID begins with 00", async () => {
    const zero = zeroKey();
    await ship(open({ key: zero }), open({ key: other }));
    const { keys, left } = await archive.accept(...exporting, keyring);
    expect(keys).to.deep.equal([other.fingerprint]);
    const reason = "its key ID begins with 00, which netpgpverify can't look up";
    expect(left).to.deep.equal([{ fingerprint: zero.fingerprint, reason }]);
  });
});
