/** What the real dnf and zypper make of a repository that two keys sign: the table of docs/formats/rpm-md.md. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { armor, dearmor } from "../../src/openpgp/packet/armor.ts";
import { readPackets, writePackets } from "../../src/openpgp/packet/packets.ts";
import { machines } from "../rehearse/real-machines.ts";
import { Story } from "../rehearse/story.ts";
import { needing } from "../testkit/programs/programs.ts";
import { RpmArchive } from "./live.ts";

describe("dnf and zypper: two signatures", function () {
  this.timeout(300_000);
  let archive: RpmArchive;
  let keyrings: Readonly<Record<"old" | "new", string>>;
  let times = 0;

  /** Whether a new client that was given one of the keys accepts the repository. */
  async function accepts(program: "dnf" | "zypper", key: "old" | "new"): Promise<boolean> {
    times += 1;
    const root = join(archive.live.folder, `machine-${times}`);
    await fs.mkdir(root);
    return (await machines[program]?.({ root, keyring: keyrings[key], url: archive.live.url })) === true;
  }

  /** Old and new: what zypper says to those who know one of them. */
  const zypper = async () => [await accepts("zypper", "old"), await accepts("zypper", "new")];

  /** Both signatures the other way round. */
  async function turn(): Promise<void> {
    const signatures = await fs.readFile(`${archive.repomd}.asc`);
    const [first, second, ...more] = dearmor(signatures, "SIGNATURE").flatMap((block) => [...readPackets(block)]);
    if (first === undefined || second === undefined || more.length > 0) throw new Error("expected two signatures");
    await fs.writeFile(`${archive.repomd}.asc`, armor(writePackets([second, first]), "SIGNATURE"));
  }

  before(async function () {
    needing("rpmbuild", "createrepo_c", "rpm", "dnf", "zypper").call(this);
    archive = await RpmArchive.make();
    const { live } = archive;
    const [old, next] = [await live.keygen(), await live.keygen()];
    const story = new Story(live);
    await story.ship();
    keyrings = { old: story.shipped.get(old) ?? "", new: story.shipped.get(next) ?? "" };
    await archive.add("hello");
    await archive.sign("--key", old, "--also-key", next, "--feed", "base");
  });

  after(() => archive?.live.remove());

  it("as feedkey writes them, whoever has the old key is not cut off", async () => {
    expect(await zypper()).to.deep.equal([true, false]);
    expect([await accepts("dnf", "old"), await accepts("dnf", "new")]).to.deep.equal([true, true]);
  });

  it("in the other order, or with other certificates beside them: dnf does not care, zypper does", async () => {
    const file = `${archive.repomd}.key`;
    const old = await fs.readFile(file);
    const both = Buffer.concat([await fs.readFile(keyrings.old), await fs.readFile(keyrings.new)]);
    await fs.writeFile(file, armor(both, "PUBLIC KEY BLOCK"));
    expect(await zypper(), "new, old; both certificates").to.deep.equal([false, true]);
    await fs.rm(file);
    expect(await zypper(), "new, old; no certificate").to.deep.equal([true, false]);
    await turn();
    expect(await zypper(), "old, new; no certificate").to.deep.equal([false, true]);
    await fs.writeFile(file, old);
    expect(await zypper(), "old, new; the old certificate").to.deep.equal([true, false]);
    expect([await accepts("dnf", "old"), await accepts("dnf", "new")]).to.deep.equal([true, true]);
  });
});
