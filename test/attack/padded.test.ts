// Attack: a certificate that is padded until its later withdrawal or revocation lies behind what anybody reads.
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { dearmor } from "../../src/openpgp/packet/armor.ts";
import { limits } from "../../src/openpgp/packet/limits.ts";
import { planBundle } from "../../src/signing/bundle.ts";
import { PublishedTree } from "../../src/signing/published-tree.ts";
import { judgedTogether } from "../../src/signing/signing-key.ts";
import { KeyStore } from "../../src/store/key-store.ts";
import { delegationsOf } from "../testkit/archives/homes.ts";
import { hour, inArchive, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { archiveId, asCertificate, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, armored, type Packet } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { documentOf, type JsonDocument, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { certification, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { notation } from "../testkit/subpackets.ts";

const [machine, stranger, other] = ["padded-machine", "padded-stranger", "padded-other"].map((name) => {
  return ed25519Key(name);
}) as [ReturnType<typeof ed25519Key>, ReturnType<typeof ed25519Key>, ReturnType<typeof ed25519Key>];
const userId = "Machine <machine@build.example.org>";

/** Signatures by a key that nobody has: each of them fits, for all that can be told. */
function junk(count: number): Packet[] {
  return Array.from({ length: count }, (_, at) => {
    return certification({ by: stranger, of: machine, userId, at: day(1) + at * 1000 });
  });
}

/** User IDs that its owner really signed. */
function crammed(count: number): TestCertificate {
  return certificate({
    key: machine,
    userIds: [userId, ...Array.from({ length: count }, (_, at) => `Machine ${at} <m${at}@build.example.org>`)],
  });
}

const revoked = keyRevocation({ by: machine, of: machine, at: day(5) });
const behind = (loaded: TestCertificate, ...packets: readonly Packet[]) =>
  asCertificate(machine, [...loaded.packets, ...packets]);
const padded = (count: number) => behind(certificate({ key: machine, userIds: [userId] }), ...junk(count));

async function stored(archive: TestArchive, fingerprint = machine.fingerprint): Promise<number> {
  const text = await fs.readFile(join(archive.home, "certs", `${fingerprint}.asc`));
  return dearmor(text, "PUBLIC KEY BLOCK")[0]?.length ?? 0;
}

async function keep(archive: TestArchive, hours: number, ...args: readonly string[]): Promise<JsonDocument> {
  const ended = await runHere(archive.keeperArgs(published + hours * hour, ...args));
  expect(ended.status, ended.stdout).to.equal(0);
  return documentOf(ended);
}

async function bring(archive: TestArchive, { bytes }: Pick<TestCertificate, "bytes">): Promise<string> {
  const file = join(archive.folder, "brought.asc");
  await fs.writeFile(file, armored("PUBLIC KEY BLOCK", bytes));
  return file;
}

const delegating = (archive: TestArchive, subject: string) => {
  return ["delegate", subject, "--key", archive.key, "--feeds", "base", "--expires", "90d", "--config", archive.config];
};

/** The state of the one delegation. */
async function standing(archive: TestArchive): Promise<unknown> {
  const [only] = delegationsOf(await keep(archive, 9, "delegate", "--status"));
  return only?.state;
}

/** The machine withdrawn, seen in the store and in the bundle. */
async function withdraw(archive: TestArchive): Promise<void> {
  await keep(
    archive,
    5,
    "delegate",
    machine.fingerprint,
    "--withdraw",
    "--key",
    archive.key,
    "--config",
    archive.config,
  );
  expect(await standing(archive)).to.contain("withdrawn");
  const bundle = await fs.readFile(join(archive.site, "keys", "archive-keyring.pgp"));
  expect(bundle.length).to.be.lessThan(limits.keyringBytes);
  const inBundle = await judgedTogether(readKeyring(bundle).certificates);
  const facts = inBundle.get(machine.fingerprint)?.facts;
  expect(facts?.userIds.flatMap(({ withdrawals }) => withdrawals)).to.have.length(1);
}

const room = limits.keptOwnBytes + limits.keptOthersBytes + limits.keptStrangersBytes;

describe("attack: a certificate that is padded", function () {
  this.timeout(60_000);

  it("is no request where it is larger than any real one, or is cut off", async () => {
    await inArchive(async (archive) => {
      const large = await bring(archive, padded(9000));
      const args = delegating(archive, large);
      const { error } = await archive.refuseKeeper({ code: "bad_certificate", status: 65 }, published + hour, ...args);
      expect(error?.message).to.contain("too large");
      const cut = padded(3).bytes.slice(0, -3);
      const half = delegating(archive, await bring(archive, { bytes: cut }));
      const said = await archive.refuseKeeper({ code: "bad_certificate", status: 65 }, published + hour, ...half);
      expect(said.error?.message).to.contain("read to its end");
    });
  });

  it("is no request where its owner crammed it", async () => {
    await inArchive(async (archive) => {
      const args = delegating(archive, await bring(archive, crammed(1500)));
      const { error } = await archive.refuseKeeper({ code: "bad_certificate", status: 65 }, published + hour, ...args);
      expect(error?.message).to.contain("too large");
    });
  });

  for (const [how, subject] of [
    ["with strangers' signatures", () => padded(4000)],
    ["with nothing", () => padded(0)],
  ] as const) {
    it(`${how}: delegated, and withdrawn again`, async () => {
      await inArchive(async (archive) => {
        await keep(archive, 1, ...delegating(archive, await bring(archive, subject())));
        expect(await standing(archive)).to.equal("in force");
        expect(await stored(archive)).to.be.lessThan(room);
        await withdraw(archive);
      });
    });
  }

  for (const [how, subject] of [
    ["strangers' signatures", () => padded(20_000)],
    ["its owner's words", () => crammed(3000)],
  ] as const) {
    it(`by ${how}, imported after it became a delegate: the withdrawal has room`, async () => {
      await inArchive(async (archive) => {
        await keep(archive, 1, ...delegating(archive, await bring(archive, padded(0))));
        await keep(archive, 2, "key", "import", await bring(archive, subject()), "--config", archive.config);
        expect(await stored(archive)).to.be.lessThan(room);
        expect(await standing(archive)).to.equal("in force");
        await withdraw(archive);
      });
    });

    it(`by ${how}: a revocation behind all that is taken in, by import and by restore`, async () => {
      await inArchive(async (archive) => {
        const loaded = behind(subject(), revoked);
        await keep(archive, 2, "key", "import", await bring(archive, loaded));
        const revocations = async (home: string) => {
          const own = readKeys(Buffer.from(await (await KeyStore.open(home)).certificate(machine.fingerprint)));
          const judged = await judgedTogether(own.certificates);
          return judged.get(machine.fingerprint)?.facts.revocations.length;
        };
        expect(await revocations(archive.home)).to.equal(1);
        const backup = join(archive.folder, "backup");
        await fs.mkdir(join(backup, "certs"), { recursive: true });
        await fs.writeFile(
          join(backup, "certs", `${machine.fingerprint}.asc`),
          armored("PUBLIC KEY BLOCK", loaded.bytes),
        );
        const fresh = join(archive.folder, "fresh");
        const ended = await runHere(["--home", fresh, "--json", "key", "restore", backup]);
        expect(ended.status, ended.stdout).to.equal(0);
        expect(await revocations(fresh)).to.equal(1);
      });
    });
  }

  it("a file of more than is read is not imported in part", async () => {
    await inArchive(async (archive) => {
      const file = join(archive.folder, "large.pgp");
      await fs.writeFile(file, Buffer.concat([padded(0).bytes, Buffer.alloc(limits.keyringBytes)]));
      const args = ["key", "import", file];
      await archive.refuseKeeper({ code: "bad_certificate", status: 65 }, published + hour, ...args);
    });
  });

  it("a certification whose maker comes later counts from then on, junk or none", async () => {
    await inArchive(async (archive) => {
      const terms = { hashed: [notation("delegate@example.org", "depth=0; feeds=base")], expiresAfter: 90 * 86_400 };
      const honest = certification({ by: other, of: machine, userId, at: day(9), ...terms });
      const end = withdrawal({ by: other, of: machine, userId, at: day(10) });
      const master = certificate({ key: other, userIds: ["Other <other@example.org>"] });
      for (const [packets, expected] of [
        [[honest], "in force"],
        // Behind junk that came before it in the same file, but within what is kept.
        [[...junk(10), honest, end], "withdrawn"],
      ] as const) {
        await fs.rm(join(archive.home, "certs", `${machine.fingerprint}.asc`), { force: true });
        await fs.rm(join(archive.home, "certs", `${other.fingerprint}.asc`), { force: true });
        const certified = behind(certificate({ key: machine, userIds: [userId] }), ...packets);
        await keep(archive, 1, "key", "import", await bring(archive, certified));
        expect(await standing(archive)).to.equal(undefined);
        await keep(archive, 2, "key", "import", await bring(archive, master));
        expect(await standing(archive)).to.contain(expected);
      }
    });
  });
});

describe("attack: a key store that can't be read to its end", function () {
  this.timeout(60_000);

  for (const [what, spoil] of [
    ["armor that is cut", (text: Buffer) => text.subarray(0, -60)],
    ["a packet that is cut", (text: Buffer) => Buffer.from(dearmor(text, "PUBLIC KEY BLOCK")[0] ?? []).subarray(0, -3)],
    ["another certificate", () => Buffer.from(certificate({ key: other }).armored)],
    ["a second block that is damaged", (text: Buffer) => Buffer.concat([text, text.subarray(0, -60)])],
    ["nothing", () => Buffer.of()],
    [
      "more than is read",
      (text: Buffer) => {
        const [block] = dearmor(text, "PUBLIC KEY BLOCK");
        const filling = Array.from({ length: 17 }, () => ({ tag: 21, body: new Uint8Array(1000 * 1024) }));
        return Buffer.concat([block ?? Buffer.of(), allFramed(filling)]);
      },
    ],
  ] as const) {
    it(`${what}: every command says so, and none goes on without it`, async () => {
      await inArchive(async (archive) => {
        const certs = join(archive.home, "certs");
        const machines = padded(0);
        await keep(archive, 1, ...delegating(archive, await bring(archive, machines)));
        const file = join(certs, `${machine.fingerprint}.asc`);
        await fs.writeFile(file, spoil(await fs.readFile(file)));
        for (const args of [
          ["key", "list"],
          ["key", "export"],
          ["key", "backup", join(archive.folder, "backup")],
          ["key", "import", await bring(archive, certificate({ key: other }))],
          ["delegate", "--status"],
          ["publish", "--config", archive.config],
          ["revoke", archive.key, "--reason", "compromised", "--force", "--config", archive.config],
          ["rotate", "--force", "--config", archive.config],
        ]) {
          const said = await archive.refuseKeeper({ code: "bad_config", status: 78 }, published + hour, ...args);
          expect(said.error?.message, args.join(" ")).to.contain(machine.fingerprint);
        }
      });
    });
  }

  it("a pipe in a certificate's place is waited for by nobody", async () => {
    await inArchive(async (archive) => {
      const file = join(archive.home, "certs", `${machine.fingerprint}.asc`);
      expect((await runProgram("mkfifo", [file])).status).to.equal(0);
      const { error } = documentOf(await runHere(archive.keeperArgs(published + hour, "key", "list")));
      expect([error?.code, error?.message]).to.satisfy(([code, message]: string[]) => {
        return code === "bad_config" && message?.includes("named pipe");
      });
    });
  });
});

describe("attack: a bundle that clients would not read", () => {
  it("is not written; what nobody can check goes first, then what delegates say at length, never a revocation", async () => {
    await inArchive(async (archive) => {
      const tree = await PublishedTree.open(archive.site);
      const present = ed25519Key("padded-present");
      const terms = { hashed: [notation("delegate@example.org", "depth=0; feeds=base")], expiresAfter: 90 * 86_400 };
      const delegated = certification({ by: present, of: machine, userId, at: day(2), ...terms });
      const loaded = behind(crammed(900), revoked);
      const [primary, ownId, own, ...rest] = loaded.packets as [Packet, Packet, Packet, ...Packet[]];
      const both = [primary, ownId, own, delegated, ...junk(40), ...rest];
      const bytes = allFramed([...certificate({ key: present }).packets, ...both]);
      const certificates = await judgedTogether(readKeyring(bytes).certificates);
      const signing = certificates.get(present.fingerprint);
      if (signing === undefined) throw new Error("the signing key was not read");
      const plan = async (most: number) => {
        const { files } = await planBundle(tree, { certificates, strangers: [] }, signing, archiveId, true, most);
        const found = readKeyring(Buffer.from(files[0]?.data ?? [])).certificates;
        const judged = await judgedTogether(found);
        const facts = judged.get(machine.fingerprint)?.facts;
        const strangers = facts?.userIds.flatMap((one) => one.strangers).length ?? 0;
        return {
          first: found[0]?.fingerprint,
          revocations: facts?.revocations.length,
          strangers,
          size: Buffer.from(files[0]?.data ?? []).length,
        };
      };
      const all = await plan(limits.keyringBytes);
      expect(all).to.include({ first: present.fingerprint, revocations: 1, strangers: 1 });
      const proven = await plan(all.size - 1);
      expect(proven).to.include({ first: present.fingerprint, revocations: 1, strangers: 0 });
      const tight = await plan(proven.size - 1);
      expect(tight).to.include({ first: present.fingerprint, revocations: 1, strangers: 0 });
      const error = await plan(tight.size - 1).then(
        () => undefined,
        (thrown: { code?: string; message: string }) => thrown,
      );
      expect([error?.code, error?.message]).to.deep.equal([
        "bad_config",
        `the key bundle would have ${tight.size} bytes, but clients read at most ${tight.size - 1}`,
      ]);
    });
  });
});
