/** The whole life of an archive whose builders come and go, for a client that nobody touches. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { Home } from "../testkit/archives/homes.ts";
import { day } from "../testkit/dates.ts";
import { Machine, NetbsdArchive } from "./netbsd-archive.ts";

const ofAlice = ["10-x86_64", "10-aarch64", "10-sparc64"];
const ofBob = ["9-x86_64", "9-aarch64", "9-i386"];
const feeds = [...ofAlice, ...ofBob];
const total = 1000;
/** Alice's machines sign so many of their packages one by one too, for pkg_add, which reads RSA keys. */
const signed = 40;
const rsa = ["--algorithm", "rsa3072"];

/** A thousand packages, no two of one name. */
function namesOf(feed: string): string[] {
  const nth = feeds.indexOf(feed);
  return Array.from({ length: total }, (_, place) => place)
    .filter((place) => place % feeds.length === nth)
    .map((place) => `p${place}-1.${place % 7}`);
}

/** Master -> two people -> three machines each; every machine signs and publishes its share of the packages. */
async function build(archive: NetbsdArchive): Promise<{ alice: Home; bob: Home; machines: Machine[] }> {
  const alice = await Home.make(archive.folder, "alice");
  const bob = await Home.make(archive.folder, "bob");
  const { master } = archive;
  await archive.handOn(
    day(2),
    await master.delegateTo(alice, day(2), "--depth", "1", "--feeds", "10-*", "--expires", "1y"),
  );
  await archive.handOn(
    day(2),
    await master.delegateTo(bob, day(2), "--depth", "1", "--feeds", "9-*", "--expires", "1y"),
  );
  const machines: Machine[] = [];
  for (const feed of feeds) {
    const person = ofAlice.includes(feed) ? alice : bob;
    const machine = await Machine.make(archive, `builder-${feed}`, feed, ...(person === alice ? rsa : []));
    await archive.handOn(day(3), await person.delegateTo(machine.home, day(3), "--feeds", feed, "--expires", "200d"));
    const files = await machine.build(namesOf(feed));
    if (person === alice) await machine.signPackages(day(4), files.slice(0, signed));
    await machine.publish(day(4), archive);
    machines.push(machine);
  }
  return { alice, bob, machines };
}

describe("an archive like NetBSD's", function () {
  this.timeout(300_000);
  let archive: NetbsdArchive;

  beforeEach(async () => {
    archive = await NetbsdArchive.make(feeds);
  });

  afterEach(() => archive.remove());

  it("from the master's key in the release to a thousand packages, and on while builders come and go", async () => {
    const { master } = archive;
    const { alice, bob, machines } = await build(archive);
    const keyOf = (feed: string) => machines.find((machine) => machine.feed === feed)?.key ?? "";
    const byTheirs = Object.fromEntries(feeds.map((feed) => [feed, keyOf(feed)]));
    const client = await archive.client("client");

    // The client knows the master alone, and verifies everything.
    expect(await client.update(day(5))).to.deep.equal(byTheirs);
    const out = join(archive.folder, "out");
    const { packages } = await client.do(day(5), "fetch", "--all", "-o", out);
    expect(packages).to.have.length(total);
    expect(await fs.readdir(out)).to.have.length(total);
    for (const feed of feeds) {
      const verify = ["verify", archive.file(feed, "pkg_summary.gz"), "--feed", feed, "--complete"];
      await client.do(day(5), ...verify, "--packages", archive.file(feed));
      const some = namesOf(feed)
        .slice(0, 5)
        .map((name) => join(out, `${name}.tgz`));
      if (ofAlice.includes(feed)) await client.do(day(5), "verify-package", ...some, "--feed", feed);
    }

    // A client to whom the archive hides its bundle finds everybody on the key server.
    const bundle = join(archive.site, "keys", "archive-keyring.pgp");
    await fs.rename(bundle, `${bundle}.hidden`);
    const other = await archive.client("other");
    expect(await other.update(day(5))).to.deep.equal(byTheirs);
    await fs.rename(`${bundle}.hidden`, bundle);

    // A fourth machine of Alice's joins and takes over a feed; the first one is withdrawn.
    const [feed = ""] = ofAlice;
    const [first] = machines;
    const fourth = await Machine.make(archive, "builder-new", feed, ...rsa);
    await archive.handOn(day(10), await alice.delegateTo(fourth.home, day(10), "--feeds", feed, "--expires", "200d"));
    const newer = namesOf(feed).map((name) => name.replace("-1.", "-2."));
    await fourth.signPackages(day(10), (await fourth.build(newer)).slice(0, signed));
    await fs.rm(archive.file(feed), { recursive: true });
    await fourth.publish(day(10), archive);
    expect(await client.update(day(11))).to.deep.equal({ ...byTheirs, [feed]: fourth.key });
    const withdrawn = join(alice.folder, "withdrawn.asc");
    await alice.do(day(12), "delegate", first?.key ?? "", "--key", alice.key, "--withdraw", "-o", withdrawn);
    await archive.handOn(day(12), withdrawn);
    await client.do(day(13), "fetch", "p0", "-o", out);
    await client.do(day(13), "verify-package", join(out, "p0-2.0.tgz"), "--feed", feed);
    const old = await client.refuses(
      "untrusted_signer",
      day(13),
      "verify-package",
      join(out, "p0-1.0.tgz"),
      "--feed",
      feed,
    );
    expect(old).to.contain("its issuer has withdrawn it");

    // The withdrawn machine goes on building, without having heard of it.
    await first?.build(["p0-3.0"]);
    await first?.publish(day(14), archive);
    expect(await client.update(day(14))).to.deep.equal({ ...byTheirs, [feed]: "untrusted_signer" });
    await fs.rm(archive.file(feed), { recursive: true });
    await fs.cp(fourth.packages, archive.file(feed), { recursive: true });

    // Bob's key is stolen: the paper from his safe is enough, and everything that hung on it falls.
    await archive.handOn(day(15), join(bob.folder, "revocations", `${bob.key}-compromised.asc`));
    const lost = Object.fromEntries(ofBob.map((one) => [one, "untrusted_signer"]));
    expect(await client.update(day(16))).to.deep.equal({ ...byTheirs, [feed]: fourth.key, ...lost });
    const [packageOfBob = ""] = namesOf(ofBob[0] ?? "");
    const message = await client.refuses(
      "untrusted_signer",
      day(16),
      "fetch",
      packageOfBob.replace(/-.*/, ""),
      "-o",
      out,
    );
    expect(message).to.contain(bob.key).and.to.contain("revoked as compromised");

    // The master names somebody else, who delegates to the same machines: nothing has to be signed anew.
    const carol = await Home.make(archive.folder, "carol");
    await archive.handOn(day(22), await master.delegateTo(carol, day(22), "--depth", "1", "--feeds", "9-*"));
    for (const machine of machines.filter((one) => ofBob.includes(one.feed))) {
      await archive.handOn(day(22), await carol.delegateTo(machine.home, day(22), "--feeds", machine.feed));
    }
    const all = { ...byTheirs, [feed]: fourth.key };
    expect(await client.update(day(23))).to.deep.equal(all);
    expect(await (await archive.client("late")).update(day(23)), "a client of today").to.deep.equal(all);
    const { delegations } = await archive.publisher.do(day(23), "delegate", "--status");
    const states = (delegations as { state: string }[]).map(({ state }) => state);
    expect(states.filter((state) => state === "in force")).to.have.length(2 + 3 + 3);
  });
});
