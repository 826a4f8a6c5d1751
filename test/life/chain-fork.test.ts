// Chain, through the command line: rivals (T6), and how much of everything there may be.
import { expect } from "chai";
import { seedOf, successorOf, withChain } from "../testkit/archives/chain.ts";
import { archiveId, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { concat, octets, type Packet } from "../testkit/framing.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { runProcess } from "../testkit/programs/command-line.ts";
import { certification } from "../testkit/signature.ts";
import { area, created, issuerFingerprint, issuerKeyId } from "../testkit/subpackets.ts";
import type { TrustedKey } from "./client.ts";

const seed = seedOf("seed");
const one = successorOf([seed], "one");
const other = successorOf([seed], "other");

describe("cases: chain, rivals", () => {
  it("two live successors of one issuer: fork, for a client that has accepted neither", async () => {
    await withChain({ seeds: [seed], bundle: [one, other] }, async (chain) => {
      for (const rival of [one, other]) await chain.refuses(rival, "fork");
    });
  });

  it("one of them certifies the other one-way: fork all the same", async () => {
    const certified = successorOf([seed, one], "other");
    await withChain({ seeds: [seed], bundle: [one, certified] }, async (chain) => {
      for (const rival of [one, certified]) await chain.refuses(rival, "fork");
    });
  });

  it("they certify each other: both accepted", async () => {
    const pair = [successorOf([seed, other], "one"), successorOf([seed, one], "other")];
    await withChain({ seeds: [seed], bundle: pair }, async (chain) => {
      for (const successor of pair) await chain.accepts(successor, [seed]);
    });
  });

  it("a client that has accepted one keeps it and refuses the other", async () => {
    await withChain({ seeds: [seed], bundle: [one] }, async (chain) => {
      await chain.accepts(one, [seed]);
      await chain.putBundle([one, other]);
      await chain.accepts(one, [seed]);
      await chain.refuses(other, "fork");
    });
  });

  it("a key that hangs on one side only: refused", async () => {
    const next = successorOf([one], "next", { certifiedAt: day(12) });
    await withChain({ seeds: [seed], bundle: [one, other, next] }, (chain) => chain.refuses(next, "fork").then());
  });

  it("both rivals certify the same next key: that key accepted, the rivals refused", async () => {
    const next = successorOf([one, other], "next", { certifiedAt: day(12) });
    await withChain({ seeds: [seed], bundle: [one, other, next] }, async (chain) => {
      const { trusted } = await chain.chain();
      expect([...trusted.keys()]).to.have.members([seed.fingerprint, next.fingerprint]);
      for (const rival of [one, other]) await chain.refuses(rival, "fork");
      // Which of the two stands for its side in the path is the judge's choice.
      const side = [one, other].find(({ fingerprint }) => trusted.get(next.fingerprint)?.via.includes(fingerprint));
      await chain.accepts(next, [seed, side ?? one]);
    });
  });

  it("one of them is a seed, or expired: no fork", async () => {
    await withChain({ seeds: [seed, other], bundle: [one] }, (chain) => chain.accepts(one, [seed]));
    const expired = successorOf([seed], "other", { keyExpiresAfter: 5 * 86_400 });
    await withChain({ seeds: [seed], bundle: [one, expired] }, (chain) => chain.accepts(one, [seed]));
  });
});

/** A certification in the issuer's name whose mathematics is wrong. */
function junk(issuer: TestCertificate, number: number): Packet {
  const hashed = area([issuerFingerprint(issuer.key), created(day(11))]);
  const unhashed = area([issuerKeyId(issuer.key)]);
  const head = concat(Uint8Array.of(4, 0x10, 22, 8), octets(hashed.length, 2), hashed, octets(unhashed.length, 2));
  const numbers = concat(octets(256, 2), Buffer.alloc(32, 0x80 | (number & 0x7f)), octets(256, 2));
  return { tag: 2, body: concat(head, unhashed, octets(number & 0xffff, 2), numbers, Buffer.alloc(32, 0xff)) };
}

describe("cases: chain, size", function () {
  this.timeout(60_000);

  /** The work may need no more memory than this, whatever is thrown at it. */
  const node = ["--max-old-space-size=160"];

  it("1,000 links: the last key is accepted", async () => {
    const links: TestCertificate[] = [seed];
    for (let n = 1; n <= 1000; n++) {
      links.push(successorOf(links.slice(-1), "", { key: ed25519Key(`life link ${n}`), certifiedAt: day(11) }));
    }
    await withChain({ seeds: links.slice(0, 1), keyring: links, bundle: [] }, async (chain) => {
      const ended = await runProcess(chain.args(day(20), "chain"), { node });
      expect(ended.status, ended.stderr).to.equal(0);
      const last = links.at(-1)?.fingerprint;
      const found = JSON.parse(ended.stdout).trusted.find((key: TrustedKey) => key.fingerprint === last);
      const path = links.slice(0, -1).map(({ fingerprint }) => fingerprint);
      expect(found.issuer).to.equal(path.at(-1));
      // Whole paths would make half a million fingerprints.
      expect(found.via).to.deep.equal(path.slice(-32));
    });
  });

  it("50,000 junk certifications on one key: the good one among them is found", async () => {
    const stranger = seedOf("stranger");
    const half = Array.from({ length: 25_000 }, (_, number) => junk(stranger, number));
    const good = certification({ by: seed.key, of: one.key, userId: archiveId, at: day(11) });
    const flooded = successorOf([], "one", { certifiedBy: [...half, good, ...half] });
    await withChain({ seeds: [seed], bundle: [flooded] }, async (chain) => {
      const ended = await runProcess(chain.args(day(20), "chain"), { node });
      expect(ended.status, ended.stderr).to.equal(0);
      expect(JSON.parse(ended.stdout).trusted).to.have.length(2);
    });
  });

  it("5,000 junk certifications in the issuer's own name", async () => {
    const many = Array.from({ length: 5_000 }, (_, number) => junk(seed, number));
    const good = certification({ by: seed.key, of: one.key, userId: archiveId, at: day(11) });
    const flooded = successorOf([], "one", { certifiedBy: [...many, good] });
    await withChain({ seeds: [seed], bundle: [flooded] }, (chain) => chain.accepts(flooded, [seed]));
  });
});
