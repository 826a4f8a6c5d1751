// Keys and certifications that GnuPG and Sequoia made serve as seeds, issuers and successors.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { iso } from "../../src/time.ts";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { inLife, type Life } from "../testkit/archives/years.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { type GnupgHome, inGnupgHome } from "../testkit/programs/gnupg.ts";
import { needing } from "../testkit/programs/programs.ts";

const length = 86_400_000;
/** GnuPG and Sequoia date what they make by the real clock. */
// Set when these tests begin: the whole suite was loaded long before, and other programs date by the clock.
let now = 0;
let begins = 0;
const later = (days: number) => now + days * length;
const live = (action: (life: Life) => Promise<void>) => inLife(action, { begins });

/** Makes keys and certifies them outside of feedkey. */
interface Maker {
  readonly name: string;
  readonly programs: readonly string[];
  /** @returns armored secret keys, each with the archive's user ID, the second one certified by the first */
  readonly pair: (folder: string) => Promise<{ readonly secrets: readonly string[]; readonly certificates: string[] }>;
}

async function gpgPair(home: GnupgHome, kinds: readonly (readonly string[])[], subkey: boolean) {
  const keys: string[] = [];
  for (const kind of kinds) keys.push(await home.generate(archiveUserId, kind));
  const [first = "", second = ""] = keys;
  const unlocked = ["--pinentry-mode", "loopback", "--passphrase", ""];
  if (subkey) for (const key of keys) await home.run(...unlocked, "--quick-add-key", key, "ed25519", "sign", "1y");
  await home.run(...unlocked, "--default-key", first, "--quick-sign-key", second, archiveUserId);
  const secrets: string[] = [];
  const certificates: string[] = [];
  for (const key of keys) {
    secrets.push(await home.run(...unlocked, "--armor", "--export-secret-keys", key));
    certificates.push(await home.run("--armor", "--export", key));
  }
  return { secrets, certificates };
}

function byGpg(what: string, kinds: readonly (readonly string[])[], subkey = false): Maker {
  return {
    name: `gpg, ${what}`,
    programs: ["gpg"],
    pair: async () => {
      let made: Awaited<ReturnType<typeof gpgPair>> = { secrets: [], certificates: [] };
      await inGnupgHome(async (home) => {
        made = await gpgPair(home, kinds, subkey);
      });
      return made;
    },
  };
}

async function sq(...args: readonly string[]): Promise<string> {
  const ended = await runProgram("sq", args);
  expect(ended.status, `sq ${args.join(" ")}\n${ended.stderr}`).to.equal(0);
  return ended.stdout;
}

const bySq: Maker = {
  name: "sq, certify-only primary and signing subkey",
  programs: ["sq"],
  pair: async (folder) => {
    const files = ["first", "second"].map((name) => join(folder, `${name}.sq`));
    for (const file of files) await sq("key", "generate", "--userid", archiveUserId, "--export", file);
    const [first = "", second = ""] = files;
    const plain = join(folder, "second.cert");
    await fs.writeFile(plain, await sq("key", "extract-cert", second));
    const certified = await sq("certify", first, plain, archiveUserId);
    const secrets = await Promise.all(files.map((file) => fs.readFile(file, "utf8")));
    return { secrets, certificates: [await sq("key", "extract-cert", first), certified] };
  },
};

const makers: readonly Maker[] = [
  byGpg("Ed25519", [
    ["ed25519", "sign", "2y"],
    ["ed25519", "sign", "2y"],
  ]),
  byGpg(
    "certify-only RSA with a signing subkey, then Ed25519",
    [
      ["rsa3072", "cert", "2y"],
      ["ed25519", "cert", "2y"],
    ],
    true,
  ),
  bySq,
];

/** Takes armored keys into the key store. @returns the fingerprint */
async function importKey(life: Life, armored: string): Promise<string> {
  const file = join(life.archive.folder, "import.asc");
  await fs.writeFile(file, armored, { mode: 0o600 });
  const { imported } = await life.keep(now, "key", "import", file);
  await fs.rm(file);
  return (imported as { fingerprint: string }[])[0]?.fingerprint ?? "";
}

for (const maker of makers) {
  describe(`foreign keys: ${maker.name}`, function () {
    this.timeout(60_000);
    let made: Awaited<ReturnType<Maker["pair"]>>;
    before(async function () {
      needing(...maker.programs).call(this);
      now = Math.floor(Date.now() / 1000) * 1000;
      begins = now - 100 * length;
      const folder = await fs.mkdtemp("/tmp/feedkey-foreign-");
      made = await maker.pair(folder);
      await fs.rm(folder, { recursive: true });
    });
    const secret = (place: number) => made.secrets[place] ?? "";
    const certificate = (place: number) => made.certificates[place] ?? "";

    it("serves as a seed, signs, and certifies a successor that feedkey makes", async () => {
      await live(async (life) => {
        const key = await importKey(life, secret(0));
        await life.configure(key);
        await life.publish(later(1));
        const client = await life.client("foreign", { seeds: [key] });
        expect(await client.update(later(1))).to.deep.equal([key]);
        const second = await life.rotate(later(2), "--at-once");
        expect(await client.update(later(3))).to.deep.equal([second]);
        expect((await client.chain(later(3))).trusted.get(second)?.via).to.deep.equal([key]);
      });
    });

    it("serves as a successor of a key that feedkey made", async () => {
      await live(async (life) => {
        const client = await life.client("old");
        const key = await importKey(life, secret(0));
        expect(await life.rotate(later(1), "--to", key, "--at-once")).to.equal(key);
        expect(await client.update(later(2))).to.deep.equal([key]);
      });
    });

    it("its certification of another such key is a transition", async () => {
      await live(async (life) => {
        const first = await importKey(life, certificate(0));
        const second = await importKey(life, secret(1));
        expect(await importKey(life, certificate(1))).to.equal(second);
        await life.configure(second);
        await life.publish(later(1));
        const client = await life.client("foreign", { seeds: [first] });
        expect(await client.update(later(2)), iso(later(2))).to.deep.equal([second]);
        expect((await client.chain(later(2))).trusted.get(second)?.via).to.deep.equal([first]);
      });
    });

    it("without that certification it is nobody", async () => {
      await live(async (life) => {
        const first = await importKey(life, certificate(0));
        const second = await importKey(life, secret(1));
        expect(first).to.not.equal(second);
        const unrelated = await life.client("unrelated");
        await life.configure(second);
        await life.publish(later(1));
        await unrelated.refuse({ code: "untrusted_signer", status: 1 }, later(2), "update");
      });
    });
  });
}
