// Of many delegates only those are read that signed, or that something is known against: no verdict may change by that.
import { expect } from "chai";
import { type Keyring, readKeyring } from "../../src/openpgp/certificate/certificate.ts";
import { Knowledge } from "../../src/refresh/certificate-pool.ts";
import { alwaysRead } from "../../src/refresh/resting.ts";
import type { Instant } from "../../src/time.ts";
import { withChain } from "../testkit/archives/chain.ts";
import { index } from "../testkit/archives/signed-index.ts";
import type { TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { cert, delegation, machine, master, nameOf, person, root, withdrawn } from "../testkit/delegations.ts";
import { allFramed } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { keyAnswer, withLiars } from "../testkit/servers/key-servers.ts";
import { plain } from "../testkit/servers/misbehaving-server.ts";
import { dataSignature, directSignature, keyRevocation } from "../testkit/signature.ts";
import { reason, revoker } from "../testkit/subpackets.ts";
import { seededProfile } from "./seeded-profile.ts";

function named(name: string): TestKey {
  const key = ed25519Key(`many ${name}`);
  nameOf.set(key, `Machine ${name} <${name}@build.example.org>`);
  return key;
}

const none = new Set<string>();
const deep = { terms: "depth=2; feeds=*" };
const crowd = Array.from({ length: alwaysRead + 20 }, (_, place) => named(`m${place}`));
const quiet = crowd.map((key) => cert(key, [delegation(master, key)]));
const [first = root, second = root] = quiet;

const [revoked, taken, below, under, bare, shared, renewed, safe] = [
  ...["revoked", "taken", "below", "under", "bare", "shared", "renewed", "safe"].map(named),
] as [TestKey, TestKey, TestKey, TestKey, TestKey, TestKey, TestKey, TestKey];
const subkey = ed25519Key("many subkey");
const compromised = (key: TestKey) => keyRevocation({ by: key, of: key, at: day(15), hashed: [reason(2)] });
const special: readonly TestCertificate[] = [
  cert(revoked, [delegation(master, revoked)], { signatures: [compromised(revoked)] }),
  cert(taken, [delegation(master, taken), withdrawn(master, taken, day(12))]),
  cert(person, [delegation(master, person, deep)]),
  cert(below, [delegation(person, below, deep)]),
  cert(machine, [delegation(below, machine)]),
  cert(under, [delegation(revoked, under), delegation(taken, under)]),
  cert(bare, [delegation(master, bare)], {
    signatures: [directSignature({ by: bare, of: bare, at: day(1), hashed: [revoker(safe)] })],
  }),
  cert(safe),
  cert(shared, [delegation(master, shared)], { subkeys: [subkey] }),
];
const all = [root, ...quiet, ...special];
const profile = seededProfile(master);
const bareRevocation = { certificates: [], loose: [keyRevocation({ by: safe, of: bare, at: day(5) })] };

function knowing(
  certificates: readonly TestCertificate[],
  remembered: readonly Pick<Keyring, "certificates" | "loose">[] = [],
) {
  return new Knowledge(
    profile,
    readKeyring(Buffer.concat(certificates.map(({ bytes }) => bytes))).certificates,
    [],
    remembered,
  );
}

/** What is said of a key. */
async function fate(knowledge: Knowledge, key: string) {
  const { trust } = await knowledge.judge(day(50), none, none);
  const { grants, via } = trust.trusted.get(key) ?? {};
  return { grants, via, code: trust.rejected.get(key)?.code, reason: trust.rejected.get(key)?.reason };
}

describe("attack: many delegates", () => {
  for (const [what, remembered] of [
    ["each alone", []],
    ["with a bare revocation that some key's revoker made", [bareRevocation]],
  ] as const) {
    it(`are judged, ${what}, as with all others`, async () => {
      const everything = knowing(all, remembered);
      for (const { fingerprint } of [first, ...special]) {
        for (const name of [fingerprint, fingerprint.slice(-16)]) {
          const some = knowing(all, remembered);
          some.readOnly([name]);
          expect(await fate(some, fingerprint)).to.deep.equal(await fate(everything, fingerprint));
          expect((await some.resting()).size).to.be.greaterThan(alwaysRead - 1);
          expect((await some.resting()).has(second.fingerprint)).to.equal(true);
        }
      }
      expect((await fate(everything, machine.fingerprint)).via).to.have.length(3);
      expect((await fate(everything, bare.fingerprint)).code).to.equal(remembered.length > 0 ? "revoked" : undefined);
    });
  }

  it("are read if anything takes trust from them: what was verified is kept first", async () => {
    for (const remembered of [[], [bareRevocation]]) {
      const some = knowing(all, remembered);
      some.readOnly([]);
      const resting = await some.resting();
      const isResting = [revoked, taken, under, bare, first.key].map(({ fingerprint }) => resting.has(fingerprint));
      expect(isResting).to.deep.equal([false, false, true, remembered.length === 0, true]);
    }
  });

  it("are found by a subkey, and read when they are wanted later", async () => {
    const some = knowing(all);
    some.readOnly([]);
    expect(await fate(some, shared.fingerprint)).to.deep.include({ grants: undefined, code: undefined });
    expect(await some.want([subkey.fingerprint])).to.deep.equal([shared.fingerprint]);
    expect((await fate(some, shared.fingerprint)).grants).to.have.length(1);
    expect(new Set(await some.want([machine.fingerprint]))).to.deep.equal(
      new Set([person, below, machine].map(({ fingerprint }) => fingerprint)),
    );
  });

  it("are read when there is news of them, and when they delegated to one that is", async () => {
    const some = knowing([...all, cert(renewed, [delegation(master, renewed)])]);
    some.readOnly([]);
    expect((await some.resting()).has(renewed.fingerprint)).to.equal(true);
    some.add({ certificates: [], loose: [compromised(renewed)] });
    some.add(readKeyring(cert(machine, [delegation(below, machine, { at: day(20) })]).bytes));
    const resting = await some.resting();
    for (const key of [renewed, machine, below, person]) expect(resting.has(key.fingerprint)).to.equal(false);
    expect((await fate(some, renewed.fingerprint)).code).to.equal("revoked");
  });

  it("are asked about before they are used, also one that has not signed before (T11)", async function () {
    this.timeout(60_000);
    await withLiars(async (server) => {
      const keyring = [root, ...quiet];
      await withChain({ seeds: [root], keyring, servers: [server.url] }, async (chain) => {
        const signedBy = ({ key }: TestCertificate, at: Instant) => {
          return allFramed([dataSignature({ by: key, at: at - 1000, data: index, feed: "base" })]);
        };
        const [, , third = root, fourth = root, fifth = root] = quiet;
        await chain.signatures.accept(signedBy(first, day(20)), day(20));
        expect(server.asked(first.fingerprint)).to.equal(1);
        const revokedNow = cert(second.key, [], { signatures: [compromised(second.key)] });
        server.answer(second.fingerprint, keyAnswer(revokedNow.bytes));
        server.answer(third.fingerprint, plain(500, "later"));
        await chain.signatures.refuse("revoked", 1, signedBy(second, day(21)), day(21));
        await chain.signatures.refuse("unchecked_revocation", 1, signedBy(third, day(21)), day(21));
        await chain.signatures.accept(signedBy(fourth, day(22)), day(22));
        expect(server.asked(fourth.fingerprint)).to.equal(1);
        expect(server.asked(fifth.fingerprint)).to.equal(0);
        // What was heard is kept, whoever signs.
        server.answer(second.fingerprint, plain(404, ""));
        await chain.signatures.refuse("revoked", 1, signedBy(second, day(23)), day(23));
        // One that has signed before is asked about again, although its last check is within grace.
        const revokedSince = cert(first.key, [], { signatures: [compromised(first.key)] });
        server.answer(first.fingerprint, keyAnswer(revokedSince.bytes));
        await chain.signatures.refuse("revoked", 1, signedBy(first, day(24)), day(24));
      });
    });
  });
});
