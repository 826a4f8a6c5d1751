/** T14: the dates from which algorithms are refused. Each yes and each no, and what a date must never make good. */
import { expect } from "chai";
import fc from "fast-check";
import type { JudgeInput } from "../../src/trust/judge.ts";
import { judge } from "../../src/trust/judge.ts";
import { buildGraph } from "../second-judge/build-graph.ts";
import { graphPlans } from "../second-judge/random-graphs.ts";
import { archiveId, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { delegation } from "../testkit/delegations.ts";
import { codeOf, type JudgeOptions, judged, verdict } from "../testkit/judging.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { certification, dataSignature, keyRevocation } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const date = Date.UTC(2030, 1, 1);
const before = date - 1;
const old = rsaKey("rsa-a");
const beside = rsaKey("rsa-b");
const next = ed25519Key("next");
const last = ed25519Key("last");
const thief = ed25519Key("thief");
const builder = ed25519Key("builder");
const index = Buffer.from("Package: alpha\n");

const link = (by: TestKey, of: TestKey, at = day(20)) => certification({ by, of, userId: archiveId, at });
const signedBy = (by: TestKey, at = day(90)) => [dataSignature({ by, at, data: index })];

/** Who is trusted, by the keys' names in this file, and why the others are not. */
async function outcome(certificates: readonly TestCertificate[], options: Partial<JudgeOptions> = {}) {
  const { trusted, rejected } = await judged({ certificates, seeds: [old], ...options });
  const names = new Map([
    [old.fingerprint, "old"],
    [beside.fingerprint, "beside"],
    [next.fingerprint, "next"],
    [last.fingerprint, "last"],
    [thief.fingerprint, "thief"],
    [builder.fingerprint, "builder"],
  ]);
  const name = (key: string) => names.get(key) ?? key;
  return {
    trusted: [...trusted.keys()].map(name).sort().join(" "),
    why: (key: TestKey) => rejected.get(key.fingerprint),
  };
}

const accepted = (...keys: readonly TestKey[]) => new Set(keys.map(({ fingerprint }) => fingerprint));

describe("trust: algorithms refused from a date on (T14)", () => {
  describe("an index", () => {
    const code = async (certificates: readonly TestCertificate[], by: TestKey, at: number) =>
      codeOf(await verdict(await judged({ certificates, at }), index, signedBy(by)));

    it("signed by RSA of 2048 bits is good until the date, and weak_algorithm from then on", async () => {
      const seed = [certificate({ key: old })];
      expect(await code(seed, old, before)).to.equal("good");
      expect(await code(seed, old, date)).to.equal("weak_algorithm");
    });

    it("signed by such a subkey of a stronger key too; by its strong sibling it stays good", async () => {
      const seed = [certificate({ key: next, subkeys: [old, last] })];
      expect(await code(seed, old, before)).to.equal("good");
      expect(await code(seed, old, date)).to.equal("weak_algorithm");
      expect(await code(seed, last, date)).to.equal("good");
      expect(await code(seed, next, date)).to.equal("good");
    });
  });

  describe("a successor", () => {
    const chain = (at = day(20)) => [
      certificate({ key: old }),
      certificate({ key: next, certifiedBy: [link(old, next, at)] }),
    ];

    it("certified by RSA of 2048 bits is one until the date, and for a new client none from then on", async () => {
      expect((await outcome(chain(), { at: before })).trusted).to.equal("next old");
      const { trusted, why } = await outcome(chain(), { at: date });
      expect(trusted).to.equal("old");
      expect(why(next)?.code).to.equal("untrusted_signer");
      expect(why(next)?.reason).to.include("RSA of 2048 bits, which is refused from 2030-02-01T00:00:00Z on");
    });

    it("that this client accepted before stays one, and leads on (T5)", async () => {
      const certificates = [...chain(), certificate({ key: last, certifiedBy: [link(next, last)] })];
      expect((await outcome(certificates, { at: date, accepted: accepted(next) })).trusted).to.equal("last next old");
      expect((await outcome(certificates, { at: date, accepted: accepted(last) })).trusted).to.equal("old");
    });

    it("is not saved by the ledger if it was certified after the date, nor from a hard revocation", async () => {
      const at = date + 86_400_000;
      const late = { at, accepted: accepted(next) };
      expect((await outcome(chain(date - 1000), late)).trusted).to.equal("next old");
      expect((await outcome(chain(date), late)).trusted).to.equal("old");
      const revoked = [keyRevocation({ by: old, of: old, at: day(50), hash: "sha1", hashed: [sub.reason(2)] })];
      const [, successor] = chain();
      const certificates = [certificate({ key: old, signatures: revoked }), ...(successor ? [successor] : [])];
      expect((await outcome(certificates, late)).trusted).to.equal("");
    });

    it("of a strong key may be a key of an old algorithm, which signs no more and passes nothing on", async () => {
      const certificates = [
        certificate({ key: next }),
        certificate({ key: old, certifiedBy: [link(next, old)] }),
        certificate({ key: last, certifiedBy: [link(old, last)] }),
      ];
      const terms = { at: date, seeds: [next] };
      expect((await outcome(certificates, terms)).trusted).to.equal("next old");
      const trust = await judged({ certificates, ...terms });
      expect(codeOf(await verdict(trust, index, signedBy(old)))).to.equal("weak_algorithm");
    });
  });

  it("a delegate of RSA of 2048 bits is one no more", async () => {
    const userId = "Builder <builder@example.org>";
    const certifiedBy = [delegation(old, builder, { at: day(80), days: 5000, userId })];
    const certificates = [certificate({ key: old }), certificate({ key: builder, userIds: [userId], certifiedBy })];
    expect((await outcome(certificates, { at: before })).trusted).to.equal("builder old");
    expect((await outcome(certificates, { at: date })).trusted).to.equal("old");
  });

  describe("nothing is accepted because of a date", () => {
    it("a thief's key stays a fork where its rival's algorithm is old", async () => {
      const certificates = [
        certificate({ key: next }),
        certificate({ key: old, certifiedBy: [link(next, old)] }),
        certificate({ key: last, certifiedBy: [link(old, last)] }),
        certificate({ key: thief, certifiedBy: [link(next, thief)] }),
      ];
      for (const at of [before, date]) {
        const { trusted, why } = await outcome(certificates, { at, seeds: [next] });
        expect(trusted).to.equal("next");
        expect(why(thief)?.code).to.equal("fork");
      }
    });

    it("a rival is spared for another way to it only as long as that way may be taken", async () => {
      for (const [other, until] of [
        [old, date],
        [builder, Number.POSITIVE_INFINITY],
      ] as const) {
        const certificates = [
          certificate({ key: next }),
          certificate({ key: other }),
          certificate({ key: last, certifiedBy: [link(next, last)] }),
          certificate({ key: thief, certifiedBy: [link(next, thief), link(other, thief)] }),
        ];
        for (const at of [before, date]) {
          const { why } = await outcome(certificates, { at, seeds: [next, other] });
          expect([why(last)?.code, why(thief)?.code]).to.deep.equal(["fork", at < until ? undefined : "fork"]);
        }
      }
    });

    it("two keys side by side that certified each other stay so", async () => {
      const certificates = [
        certificate({ key: next }),
        certificate({ key: beside, certifiedBy: [link(next, beside), link(last, beside)] }),
        certificate({ key: last, certifiedBy: [link(next, last), link(beside, last)] }),
      ];
      for (const at of [before, date]) {
        expect((await outcome(certificates, { at, seeds: [next] })).trusted).to.equal("beside last next");
      }
    });

    it("in random graphs whoever is trusted would be, too, if no algorithm had a date", () => {
      const without = (input: JudgeInput): JudgeInput => {
        const certificates = input.certificates.map((one) => {
          const isDated = one.primary.algorithm === "rsa" && one.primary.bits >= 2048;
          return isDated ? { ...one, primary: { ...one.primary, bits: 4096 } } : one;
        });
        return { ...input, certificates };
      };
      let fewer = 0;
      const property = fc.property(graphPlans, (plan) => {
        const input = buildGraph(plan);
        const [dated, undated] = [judge(input).trusted, judge(without(input)).trusted];
        expect([...dated.keys()].filter((key) => !undated.has(key))).to.deep.equal([]);
        if (dated.size < undated.size) fewer += 1;
      });
      fc.assert(property, { numRuns: 1000, seed: 20_260_131 });
      expect(fewer).to.be.at.least(1);
    });
  });
});
