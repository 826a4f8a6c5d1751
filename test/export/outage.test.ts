/** What an outage of the key servers does to an exported keyring: it may take keys from it, but only those that are known to be bad. */
import * as fs from "node:fs/promises";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { iso } from "../../src/time.ts";
import { LiveArchive } from "../testkit/archives/live-archive.ts";
import { plain, startMisbehaving } from "../testkit/servers/misbehaving-server.ts";

const unchecked = { code: "unchecked_revocation", status: 1 };

describe("export in an outage of the key servers", () => {
  let archive: LiveArchive;
  let key: string;
  let keyring: string;

  beforeEach(async () => {
    archive = await LiveArchive.make();
    key = await archive.keygen("--expires", "100d");
    await archive.publish(key);
    await archive.ship(key);
    keyring = join(archive.folder, "keyring.pgp");
  });

  afterEach(() => archive.remove());

  const exporting = (days: number) => {
    return ["--at", iso(Date.now() + days * 86_400_000), "export", "--for", "gpgv", keyring];
  };
  const exported = async () => readKeys(await fs.readFile(keyring)).certificates.map(({ fingerprint }) => fingerprint);

  it("is refused the first time, and writes no empty keyring", async () => {
    await archive.stopKeyserver();
    const { error } = await archive.refuse(unchecked, ...exporting(0));
    expect(error?.details.fingerprint).to.equal(key);
    expect(await fs.readdir(archive.folder)).to.not.include("keyring.pgp");
  });

  it("goes on within grace with a warning, and keeps the file beyond it", async () => {
    await archive.accept(...exporting(0));
    const before = await fs.stat(keyring);
    await archive.stopKeyserver();
    const { warnings } = await archive.accept(...exporting(13));
    expect(warnings?.join("\n")).to.include("within the profile's grace");
    await archive.refuse(unchecked, ...exporting(15));
    const after = await fs.stat(keyring);
    expect([after.ino, after.mtimeMs]).to.deep.equal([before.ino, before.mtimeMs]);
    expect(await exported()).to.deep.equal([key]);
  });

  it("does not add a successor that could not be asked about", async () => {
    await archive.accept(...exporting(0));
    await archive.rotate();
    await archive.stopKeyserver();
    const { keys } = await archive.accept(...exporting(13));
    expect(keys).to.deep.equal([key]);
    await archive.refuse(unchecked, ...exporting(15));
    expect(await exported()).to.deep.equal([key]);
  });

  it("leaves the file as it is when only some keys could be asked about", async () => {
    const successor = await archive.rotate("--at-once");
    await archive.accept(...exporting(0));
    await archive.stopKeyserver();
    const half = await startMisbehaving(
      { "/pks/lookup": (socket, request) => plain(request.includes(`0x${key}`) ? 404 : 500, "")(socket, request) },
      "good",
    );
    const profile = await fs.readFile(archive.profile, "utf8");
    const lines = [
      `keyservers = hkps://localhost:${half.port}`,
      `keyserver-ca = ${resolve("test/vectors/tls/ca.pem")}`,
    ];
    await fs.writeFile(archive.profile, profile.replace(/keyservers = .*\nkeyserver-ca = .*/, lines.join("\n")));
    try {
      const { error } = await archive.refuse(unchecked, ...exporting(15));
      expect(error?.details).to.deep.include({ unchecked: [successor], removed: [] });
    } finally {
      await half.close();
    }
    expect(await exported()).to.have.members([key, successor]);
  });

  it("still takes out a key that is known to be revoked", async () => {
    const successor = await archive.rotate("--at-once");
    await archive.ship(key, successor);
    await archive.accept(...exporting(0));
    await archive.revokeAsCompromised(key);
    // The archive's own bundle tells of it.
    await archive.stopKeyserver();
    const { error } = await archive.refuse(unchecked, ...exporting(15));
    expect(error?.details).to.deep.include({ unchecked: [successor], removed: [key] });
    expect(await exported()).to.deep.equal([successor]);
    const again = await archive.refuse(unchecked, ...exporting(15));
    expect(again.error?.details.removed).to.deep.equal([]);
  });

  it("still takes out a key that has expired", async () => {
    const successor = await archive.rotate("--at-once");
    await archive.accept(...exporting(0));
    expect(await exported()).to.have.members([key, successor]);
    await archive.stopKeyserver();
    await archive.refuse(unchecked, ...exporting(101));
    expect(await exported()).to.deep.equal([successor]);
  });

  it("still takes out keys of a seed that the profile lists no more", async () => {
    await archive.accept(...exporting(0));
    const other = await archive.keygen();
    await archive.ship(other);
    await archive.stopKeyserver();
    const { error } = await archive.refuse(unchecked, ...exporting(0));
    expect(error?.details).to.deep.include({ unchecked: [other], removed: [key] });
    expect(await exported()).to.deep.equal([]);
  });

  describe("right after a refresh, with --no-refresh", () => {
    const minute = 60_000;
    const afterwards = (wait: number, ...args: readonly string[]) => {
      return ["--at", iso(Date.now() + wait), "export", "--for", "gpgv", "--no-refresh", keyring, ...args];
    };

    /** The profile allows no grace: only a check that counts as fresh lets a key through. */
    beforeEach(async () => {
      await archive.shipWith(["grace = 0"], key);
      await archive.accept("refresh");
    });

    it("asks nobody, and adds what the refresh learned", async () => {
      const successor = await archive.rotate();
      await archive.accept("refresh");
      await archive.stopKeyserver();
      const { keys, warnings } = await archive.accept(...afterwards(14 * minute));
      expect(keys).to.have.members([key, successor]);
      expect(warnings).to.equal(undefined);
    });

    it("takes out what the refresh heard of", async () => {
      await archive.accept(...afterwards(0));
      const successor = await archive.rotate("--at-once");
      await archive.shipWith(["grace = 0"], key, successor);
      await archive.revokeAsCompromised(key);
      await archive.accept("refresh");
      await archive.stopKeyserver();
      const { keys, removed } = await archive.accept(...afterwards(0));
      expect({ keys, removed }).to.deep.equal({ keys: [successor], removed: [key] });
    });

    it("counts no answer that is older than one job, and none that is not there", async () => {
      await archive.refuse(unchecked, ...afterwards(16 * minute));
      const other = await archive.keygen();
      await archive.keep("send", other, "--config", archive.config);
      await archive.shipWith(["grace = 0"], other);
      await archive.refuse(unchecked, ...afterwards(0));
    });
  });
});
