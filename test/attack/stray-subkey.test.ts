// Attack: a subkey that is not the archive's, or not any more, vouches for how a summary is packed, and has that signed.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { HashedDocument } from "../../src/openpgp/packet/hashed-document.ts";
import type { ArchiveFeed } from "../../src/profile/types.ts";
import { isOwn, vouchersOf } from "../../src/publish/vouched-file.ts";
import { PublishedTree } from "../../src/signing/published-tree.ts";
import { judgedTogether, type OwnCertificate } from "../../src/signing/signing-key.ts";
import { archiveId, certificate, type SubkeyOptions } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { framed } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { dataSignature, subkeySignature } from "../testkit/signature.ts";
import { reason } from "../testkit/subpackets.ts";

const primary = ed25519Key("stray-primary");
const subkey = ed25519Key("stray-subkey");
const feed = { name: "base", format: "pkgsrc", path: "All" } as ArchiveFeed;
const file = { name: "pkg_summary.gz", document: new HashedDocument(gzipSync("PKGNAME=a-1.0\n\n")) };

const revoked = (code: number) =>
  subkeySignature(0x28, { by: primary, primary, subkey, at: day(5), hashed: [reason(code, "")] });

/** Whether a signature by the subkey shows that a file is the archive's. */
async function vouches(options: Omit<SubkeyOptions, "key">): Promise<boolean> {
  const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-attack-"));
  try {
    const signature = dataSignature({ by: subkey, at: day(3), data: file.document.bytes, feed: "base" });
    await fs.writeFile(join(folder, `${file.name}.sig`), framed(signature));
    const { bytes } = certificate({ key: primary, subkeys: [{ key: subkey, ...options }] });
    const own = await judgedTogether(readKeyring(bytes).certificates);
    const key = own.get(primary.fingerprint) as OwnCertificate;
    const vouchers = await vouchersOf(
      own,
      key,
      archiveId,
      { indexes: new Map(), bundle: false, made: new Map() },
      day(6),
    );
    return await isOwn(feed, (await PublishedTree.open(folder)).folder(""), file, vouchers);
  } finally {
    await fs.rm(folder, { recursive: true });
  }
}

describe("attack: a subkey vouches for what lies in the published tree", () => {
  it("where it is the archive's", async () => {
    expect(await vouches({})).to.equal(true);
  });

  it("not where nothing binds it to the certificate", async () => {
    expect(await vouches({ bound: false })).to.equal(false);
    expect(await vouches({ backSignature: "none" })).to.equal(false);
    expect(await vouches({ flags: ["encrypt"] })).to.equal(false);
  });

  it("not where it was revoked, as compromised or as retired", async () => {
    for (const code of [2, 3]) expect(await vouches({ signatures: [revoked(code)] })).to.equal(false);
  });
});
