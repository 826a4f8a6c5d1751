/** `sign` and `publish` with `--profile`: no signature that the profile's clients would refuse. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { addKey, hour, published, TestArchive } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";

const at = published + hour;

describe("signing with --profile", () => {
  let archive: TestArchive;

  beforeEach(async () => {
    archive = await TestArchive.make();
    // What the clients were shipped with, not what the keepers have by now.
    const keyring = join(archive.folder, "keyring");
    await fs.cp(join(archive.home, "certs"), keyring, { recursive: true });
    await archive.writeProfile({ keyring });
  });

  afterEach(() => archive.remove());

  const signing = (key: string, ...more: readonly string[]) => {
    return ["--profile", archive.profile, "sign", archive.file("Packages"), "--feed", "base", "--key", key, ...more];
  };

  async function signs(...args: readonly string[]): Promise<void> {
    const ended = await runHere(archive.keeperArgs(at, ...args));
    expect(ended.status, ended.stdout).to.equal(0);
  }

  it("signs with a seed", async () => {
    await signs(...signing(archive.key));
  });

  it("signs with a successor that a seed certifies, as a fresh client would find it", async () => {
    const successor = await addKey(archive.home);
    const expected = { code: "untrusted_signer", status: 1 };
    const { error } = await archive.refuseKeeper(expected, at, ...signing(successor));
    expect(error?.details).to.deep.equal({ fingerprint: successor, profile: "example" });
    expect(error?.message).to.include("no available key certifies it");
    await signs("rotate", "--config", archive.config, "--to", successor, "--force");
    await signs(...signing(successor));
  });

  it("refuses a key whose certifier was compromised", async () => {
    const successor = await addKey(archive.home);
    await signs("rotate", "--config", archive.config, "--to", successor, "--force");
    await signs("revoke", archive.key, "--reason", "compromised", "--force");
    await archive.refuseKeeper({ code: "untrusted_signer", status: 1 }, at, ...signing(successor));
    await archive.refuseKeeper({ code: "revoked", status: 1 }, at, ...signing(archive.key));
  });

  it("refuses to publish too, and writes nothing", async () => {
    const stranger = await addKey(archive.home);
    await archive.addPackage("gamma");
    const publishing = ["publish", "--config", archive.config, "--key", stranger];
    const expected = { code: "untrusted_signer", status: 1 };
    await archive.refuseKeeper(expected, at, "--profile", archive.profile, ...publishing);
    await signs(...publishing);
  });

  it("asks nothing where no profile is named", async () => {
    const stranger = await addKey(archive.home);
    await signs(...signing(stranger).slice(2));
  });
});
