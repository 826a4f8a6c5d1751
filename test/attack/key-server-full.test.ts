// Attack: anybody may upload to the embedded key server. Junk on a key, or a server full of strangers, must not keep out a
// revocation, a withdrawal or a successor.
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { KeyDatabase } from "../../src/keyserver/key-database.ts";
import { type ServerLimits, serverLimits } from "../../src/keyserver/server-limits.ts";
import { readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { keyMerger } from "../../src/openpgp/check/key-merger.ts";
import { limits } from "../../src/openpgp/packet/limits.ts";
import { archiveId, asCertificate, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { allFramed, armored, concat, type Packet } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, directSignature, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { area, created, revoker } from "../testkit/subpackets.ts";

const [first, next, third, stranger] = ["full-first", "full-next", "full-third", "full-stranger"].map((name) =>
  ed25519Key(name),
) as [TestKey, TestKey, TestKey, TestKey];
const certify = (by: TestKey, of: TestKey, at = day(1)) => certification({ by, of, userId: archiveId, at });
const revoke = (of: TestKey) => keyRevocation({ by: of, of, at: day(5) });
const many = (count: number, name: string) =>
  Array.from({ length: count }, (_, at) => ed25519Key(`full-${name}-${at}`));

async function open(changed: Partial<ServerLimits> = {}, folder?: string): Promise<KeyDatabase> {
  return await KeyDatabase.open(folder, keyMerger, { ...serverLimits, ...changed });
}

/** @returns why each key of an upload was refused */
async function upload(database: KeyDatabase, ...blocks: readonly Uint8Array[]): Promise<(string | undefined)[]> {
  const outcomes = await database.add(Buffer.from(armored("PUBLIC KEY BLOCK", concat(...blocks))));
  return outcomes.map(({ refused }) => refused);
}

/** Bodies of the signatures on a key that is held. */
function signatures(database: KeyDatabase, { fingerprint }: TestKey): string[] {
  const [key] = database.find(`0x${fingerprint}`);
  const [found] = key === undefined ? [] : readKeyring(key.bytes).certificates;
  const all = [...(found?.signatures ?? []), ...(found?.userIds ?? []).flatMap((userId) => userId.signatures)];
  return all.map(({ body }) => Buffer.from(body).toString("hex"));
}

const hex = ({ body }: Packet) => Buffer.from(body).toString("hex");
const holds = (database: KeyDatabase, key: TestKey) => database.find(`0x${key.fingerprint}`).length === 1;

describe("attack: junk on a key of the embedded server", () => {
  it("takes no place: only what held keys really signed is kept", async () => {
    const database = await open();
    await upload(database, certificate({ key: first }).bytes, certificate({ key: next }).bytes);
    const good = certify(next, first);
    const bad = { ...good, body: good.body.map((byte, at) => (at === good.body.length - 1 ? byte ^ 1 : byte)) };
    const junk = Array.from({ length: 1000 }, (_, at) => certify(stranger, first, day(1) + at * 1000));
    const loaded = certificate({ key: first, certifiedBy: [...junk, bad, good] });
    expect(await upload(database, loaded.bytes)).to.deep.equal([undefined]);
    expect(signatures(database, first)).to.have.length(2).and.to.include(hex(good));
  });

  it("a revocation and a withdrawal get in, however much its owner and a held key wrote", async () => {
    const database = await open();
    const userIds = Array.from({ length: 800 }, (_, at) => `Archive ${at} <archive${at}@example.org>`);
    const loaded = certificate({ key: first, userIds: [archiveId, ...userIds] });
    const left = withdrawal({ by: next, of: first, userId: archiveId, at: day(9) });
    const certifying = Array.from({ length: 200 }, (_, at) => certify(next, first, day(1) + at * 1000));
    await upload(database, certificate({ key: next }).bytes);
    const refused = await upload(
      database,
      loaded.bytes,
      allFramed([{ tag: 13, body: Buffer.from(archiveId) }, ...certifying]),
    );
    expect(refused).to.deep.equal([undefined]);
    expect(await upload(database, certificate({ key: first, certifiedBy: [left] }).bytes)).to.deep.equal([undefined]);
    expect(await upload(database, allFramed([revoke(first)]))).to.deep.equal([undefined]);
    expect(signatures(database, first))
      .to.include(hex(left))
      .and.to.include(hex(revoke(first)));
    const [key] = database.find(first.fingerprint);
    expect(key?.bytes.length).to.be.lessThan(limits.keptOwnBytes + limits.keptOthersBytes + 1000);
  });

  it("a revocation behind a thousand signatures of one upload gets in", async () => {
    const database = await open();
    await upload(database, certificate({ key: first }).bytes);
    const junk = Array.from({ length: 1000 }, (_, at) => certify(stranger, first, day(1) + at * 1000));
    const loaded = asCertificate(first, [...certificate({ key: first }).packets, ...junk, revoke(first)]);
    await upload(database, loaded.bytes);
    expect(signatures(database, first))
      .to.have.length(2)
      .and.to.include(hex(revoke(first)));
  });
});

describe("attack: keys that say nothing of themselves", () => {
  it("are refused; revocations and copies of held keys without user IDs are taken", async () => {
    const database = await open();
    const bare = asCertificate(first, [{ tag: 6, body: first.body }]);
    const direct = asCertificate(first, [
      { tag: 6, body: first.body },
      directSignature({ by: first, of: first, at: day(0) }),
    ]);
    const named = certificate({
      key: first,
      userIds: [{ userId: archiveId, self: false, signatures: [certify(next, first)] }],
    });
    for (const { bytes } of [bare, direct, named]) {
      expect(await upload(database, bytes)).to.deep.equal(["the key has no self-signed user ID"]);
    }
    expect(await upload(database, allFramed([revoke(first)]))).to.deep.equal(["the revoked key is not stored here"]);
    expect(await upload(database, certificate({ key: first }).bytes)).to.deep.equal([undefined]);
    const revoked = asCertificate(first, [{ tag: 6, body: first.body }, revoke(first)]);
    expect(await upload(database, revoked.bytes)).to.deep.equal([undefined]);
    expect(signatures(database, first)).to.include(hex(revoke(first)));
    expect(database.find("archive@example.org")).to.have.length(1);
  });

  it("a bare revocation that names a key ID alone is laid to its key", async () => {
    const database = await open();
    await upload(database, certificate({ key: first }).bytes);
    const old = keyRevocation({ by: first, of: first, at: day(5), hashedArea: area([created(day(5))]) });
    expect(await upload(database, allFramed([old]))).to.deep.equal([undefined]);
    expect(signatures(database, first)).to.have.length(2).and.to.include(hex(old));
  });

  it("a designated revoker's word counts once it is held", async () => {
    const database = await open();
    const naming = directSignature({ by: first, of: first, at: day(1), hashed: [revoker(next)] });
    const by = keyRevocation({ by: next, of: first, at: day(5) });
    const plain = certificate({ key: first, signatures: [naming] });
    const revoked = certificate({ key: first, signatures: [naming, by] });
    await upload(database, plain.bytes);
    await upload(database, revoked.bytes);
    expect(signatures(database, first)).to.not.include(hex(by));
    await upload(database, certificate({ key: next }).bytes);
    await upload(database, revoked.bytes);
    expect(signatures(database, first)).to.include(hex(by));
  });
});

describe("certifications on the embedded server", () => {
  for (const [order, blocks] of [
    [
      "the issuer first",
      [certificate({ key: next }), certificate({ key: first, certifiedBy: [certify(next, first)] })],
    ],
    ["the issuer last", [certificate({ key: first, certifiedBy: [certify(next, first)] }), certificate({ key: next })]],
  ] as const) {
    it(`count in one upload, ${order}`, async () => {
      const database = await open();
      await upload(database, ...blocks.map(({ bytes }) => bytes));
      expect(signatures(database, first)).to.include(hex(certify(next, first)));
    });

    it(`count in uploads of their own, ${order}, once the key is sent again`, async () => {
      const database = await open();
      for (const { bytes } of [...blocks, ...blocks]) await upload(database, bytes);
      expect(signatures(database, first)).to.include(hex(certify(next, first)));
    });
  }

  it("by a key that is refused count for nothing", async () => {
    const database = await open();
    const bare = asCertificate(next, [{ tag: 6, body: next.body }]);
    await upload(database, bare.bytes, certificate({ key: first, certifiedBy: [certify(next, first)] }).bytes);
    expect(signatures(database, first)).to.not.include(hex(certify(next, first)));
  });
});

describe("attack: an embedded server that is full of strangers", () => {
  const successor = certificate({ key: next, certifiedBy: [certify(first, next)] });
  const crowd = many(5, "crowd").map((key) => certificate({ key }));

  it("takes revocations and successors of keys that came first, and no stranger", async () => {
    const database = await open({ keys: 4 });
    await upload(database, certificate({ key: first }).bytes);
    for (const { bytes } of crowd.slice(0, 3)) expect(await upload(database, bytes)).to.deep.equal([undefined]);
    expect(await upload(database, crowd[3]?.bytes ?? concat())).to.deep.equal(["the server is full"]);
    expect(await upload(database, allFramed([revoke(first)]))).to.deep.equal([undefined]);
    expect(await upload(database, successor.bytes)).to.deep.equal([undefined]);
    const following = certificate({ key: third, certifiedBy: [certify(next, third)] });
    expect(await upload(database, following.bytes)).to.deep.equal([undefined]);
    expect([first, next, third].map((key) => holds(database, key))).to.deep.equal([true, true, true]);
    expect(signatures(database, first)).to.include(hex(revoke(first)));
  });

  it("strangers that certify each other, or the archive's key, push out nobody who came before", async () => {
    const database = await open({ keys: 4 });
    await upload(database, certificate({ key: first }).bytes);
    const [x, ...followers] = many(20, "clan") as [TestKey, ...TestKey[]];
    await upload(database, certificate({ key: x }).bytes);
    await upload(database, certificate({ key: first, certifiedBy: [certify(x, first)] }).bytes);
    for (const key of followers) await upload(database, certificate({ key, certifiedBy: [certify(x, key)] }).bytes);
    expect(holds(database, first)).to.equal(true);
    expect(await upload(database, successor.bytes)).to.deep.equal([undefined]);
    for (const key of followers) await upload(database, certificate({ key, certifiedBy: [certify(x, key)] }).bytes);
    expect([first, next].map((key) => holds(database, key))).to.deep.equal([true, true]);
  });

  it("remembers over a restart who came first, also where room is counted in bytes", async () => {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-full-"));
    try {
      const size = certificate({ key: first }).bytes.length;
      const bounds = { allKeys: size * 4 };
      const before = await open(bounds, folder);
      await upload(before, certificate({ key: first }).bytes);
      for (const { bytes } of crowd.slice(0, 3)) await upload(before, bytes);
      await before.close();
      const database = await open(bounds, folder);
      expect(await upload(database, crowd[3]?.bytes ?? concat())).to.deep.equal(["the server is full"]);
      expect(await upload(database, allFramed([revoke(first)]))).to.deep.equal([undefined]);
      expect(await upload(database, successor.bytes)).to.deep.equal([undefined]);
      expect([first, next].map((key) => holds(database, key))).to.deep.equal([true, true]);
      await database.close();
      const files = (await fs.readdir(folder)).filter((name) => name.endsWith(".asc"));
      expect(files).to.include(`${next.fingerprint}.asc`).and.to.have.length.lessThan(4);
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });

  it("answers a search with those that came first", async () => {
    const database = await open();
    await upload(database, certificate({ key: first }).bytes);
    for (const { bytes } of crowd) await upload(database, bytes);
    await upload(database, successor.bytes);
    const found = database.find("archive@example.org").map(({ fingerprint }) => fingerprint);
    expect(found.slice(0, 2)).to.have.members([first.fingerprint, next.fingerprint]);
  });
});
