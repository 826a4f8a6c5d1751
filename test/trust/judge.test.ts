/** The chain as a whole: T2, T4, T5, T6, T11, and the cases of "Chain". */
import { expect } from "chai";
import type { TrustSet } from "../../src/trust/judge.ts";
import { archiveId, type CertificateOptions, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { type JudgeOptions, judged } from "../testkit/judging.ts";
import { ed25519Key, rsaKey, type TestKey } from "../testkit/keys.ts";
import { certification, keyRevocation, type SignatureOptions, withdrawal } from "../testkit/signature.ts";
import * as sub from "../testkit/subpackets.ts";

const keys = new Map<string, TestKey>();
const key = (name: string): TestKey => {
  const known = keys.get(name) ?? ed25519Key(`chain ${name}`);
  keys.set(name, known);
  return known;
};
const nameOf = (fingerprint: string) => [...keys].find(([, { fingerprint: f }]) => f === fingerprint)?.[0] ?? "?";
const days = (n: number) => n * 86_400;

const link = (by: string, of: string, more: Partial<SignatureOptions> = {}): Packet =>
  certification({ by: key(by), of: key(of), userId: archiveId, at: day(10), ...more });
const revoke = (name: string, code: number, at = day(50)): Packet =>
  keyRevocation({ by: key(name), of: key(name), at, hashed: [sub.reason(code)] });

/** `A>B A<>C`: certificates of all letters, certified as drawn; `more` adds to single ones. */
function drawn(links: string, more: Readonly<Record<string, Partial<CertificateOptions>>> = {}): TestCertificate[] {
  const names = [...new Set(links.replaceAll(/[^A-Z]/g, ""))];
  const pairs = links.split(" ").flatMap((text) => {
    const [from = "", to = ""] = [text.at(0), text.at(-1)];
    return text.includes("<>")
      ? [
          [from, to],
          [to, from],
        ]
      : text.includes(">")
        ? [[from, to]]
        : [];
  });
  return names.map((name) => {
    const certifiedBy = pairs.filter(([, to]) => to === name).map(([from = ""]) => link(from, name));
    const own = more[name] ?? {};
    return certificate({ key: key(name), ...own, certifiedBy: [...certifiedBy, ...(own.certifiedBy ?? [])] });
  });
}

const seeds = (names: string) => [...names].map(key);
const set = (names: string) => new Set([...names].map((name) => key(name).fingerprint));

/** What was decided: `S A(S) B(SA)` with the path of each, and `C:fork` for the others. */
function told({ trusted, rejected }: TrustSet): string {
  const yes = [...trusted].map(([fingerprint, { via }]) => {
    return via.length === 0 ? nameOf(fingerprint) : `${nameOf(fingerprint)}(${via.map(nameOf).join("")})`;
  });
  const no = [...rejected].map(([fingerprint, { code }]) => `${nameOf(fingerprint)}:${code}`);
  return [...yes, ...no].sort().join(" ");
}

const judge = async (certificates: readonly TestCertificate[], options: Partial<JudgeOptions> = {}) =>
  told(await judged({ certificates, seeds: seeds("S"), ...options }));

describe("trust/judge", () => {
  describe("seeds (T2)", () => {
    it("need no certification and no user ID", async () => {
      expect(await judge([certificate({ key: key("S"), userIds: ["Root <root@example.org>"] })])).to.equal("S");
    });
    it("are those that the profile lists, and nobody else", async () => {
      expect(await judge(drawn("S X"))).to.equal("S X:untrusted_signer");
      expect(await judge(drawn("S X"), { seeds: seeds("SX") })).to.equal("S X");
      expect(await judge(drawn("X"))).to.equal("X:untrusted_signer");
    });
    it("are listed by full fingerprint: a key ID is none", async () => {
      expect(await judge(drawn("S"), { seeds: [{ fingerprint: key("S").keyId }] })).to.equal("S:untrusted_signer");
    });
    it("that are hard-revoked are none; soft-revoked and expired ones lead on if they may", async () => {
      expect(await judge(drawn("S>A", { S: { signatures: [revoke("S", 2)] } }))).to.equal(
        "A:untrusted_signer S:revoked",
      );
      expect(await judge(drawn("S>A", { S: { signatures: [revoke("S", 3)] } }))).to.equal("A:untrusted_signer S");
      expect(await judge(drawn("S>A", { S: { signatures: [revoke("S", 3)] } }), { retiredIssuers: "accept" })).to.equal(
        "A(S) S",
      );
      expect(await judge(drawn("S>A", { S: { keyExpiresAfter: days(20) } }))).to.equal("A(S) S");
    });
  });

  describe("the chain", () => {
    it("leads from seed to successor over each link that holds, by the shortest path", async () => {
      expect(await judge(drawn("S>A A>B B>C"))).to.equal("A(S) B(SA) C(SAB) S");
      expect(await judge(drawn("S>A A>B B<>C A>C"))).to.equal("A(S) B(SA) C(SA) S");
    });
    it("says which link is missing", async () => {
      const trust = await judged({ certificates: drawn("S B>C"), seeds: seeds("S") });
      expect(told(trust)).to.equal("B:untrusted_signer C:untrusted_signer S");
      expect(trust.rejected.get(key("C").fingerprint)?.reason).to.equal(
        `its issuer ${key("B").fingerprint} is not in the chain itself`,
      );
      expect(trust.rejected.get(key("B").fingerprint)?.reason).to.match(/no available key certifies it/);
    });
    it("says which link does not hold, and why", async () => {
      const certificates = drawn("S A", { A: { certifiedBy: [link("S", "A", { hash: "sha1" })] } });
      const trust = await judged({ certificates, seeds: seeds("S") });
      const { reason, links } = trust.rejected.get(key("A").fingerprint) ?? {};
      expect(reason).to.equal(`the certification by ${key("S").fingerprint} does not count: it uses SHA1`);
      expect(links?.map(({ refusal }) => refusal?.code)).to.deep.equal(["weak_algorithm"]);
    });
    it("advises to check the clock if a certification or a delegation is dated in the future, and only then", async () => {
      const hints = async (input: Parameters<typeof judged>[0]) => {
        return (await judged(input)).rejected.get(key("A").fingerprint)?.hint;
      };
      const from = (at: number) => drawn("S A", { A: { certifiedBy: [link("S", "A", { at: day(at) })] } });
      expect(await hints({ certificates: from(1), seeds: seeds("S"), at: day(0) })).to.match(
        /check this machine's clock/,
      );
      const weak = drawn("S A", { A: { certifiedBy: [link("S", "A", { hash: "sha1" })] } });
      expect(await hints({ certificates: weak, seeds: seeds("S") })).to.equal(undefined);
    });
    it("passes over an expired key, and ends at a hard-revoked one unless another path is there", async () => {
      expect(await judge(drawn("S>A A>B", { A: { keyExpiresAfter: days(30) } }))).to.equal("A(S) B(SA) S");
      const gone = { A: { signatures: [revoke("A", 2)] } };
      expect(await judge(drawn("S>A A>B", gone))).to.equal("A:revoked B:untrusted_signer S");
      expect(await judge(drawn("S>A A>B S>B", gone))).to.equal("A:revoked B(S) S");
    });
    it("ends where keys certify each other in a circle", async () => {
      expect(await judge(drawn("S>A A<>B B>S"))).to.equal("A(S) B(SA) S");
      expect(await judge(drawn("S X<>Y"))).to.equal("S X:untrusted_signer Y:untrusted_signer");
    });
    it("goes by the wanted user ID alone", async () => {
      const wrong = "Example Archive Signing Key <archive@example.com>";
      const other = {
        A: {
          userIds: [wrong],
          certifiedBy: [certification({ by: key("S"), of: key("A"), userId: wrong, at: day(10) })],
        },
      };
      const trust = await judged({ certificates: drawn("S A", other), seeds: seeds("S") });
      expect(told(trust)).to.equal("A:untrusted_signer S");
      expect(trust.rejected.get(key("A").fingerprint)?.reason).to.match(
        /does not carry the user ID "archive@example.org"/,
      );
      const exact = { identity: { kind: "user-id", userId: archiveId } } as const;
      expect(await judge(drawn("S>A"), exact)).to.equal("A(S) S");
      const renamed = {
        A: {
          userIds: ["New Name <archive@example.org>"],
          certifiedBy: [
            certification({ by: key("S"), of: key("A"), userId: "New Name <archive@example.org>", at: day(10) }),
          ],
        },
      };
      expect(await judge(drawn("S A", renamed))).to.equal("A(S) S");
      expect(await judge(drawn("S A", renamed), exact)).to.equal("A:untrusted_signer S");
    });
    it("counts what a weak key certified for nothing, and the weak key itself may not sign", async () => {
      keys.set("W", rsaKey("rsa1024"));
      expect(await judge(drawn("S>W W>B"))).to.equal("B:untrusted_signer S W(S)");
    });
    it("holds for a thousand links", async () => {
      const names = Array.from({ length: 1001 }, (_, i) => String.fromCodePoint(0x4e00 + i));
      const chain = names.map((name, i) => {
        const before = names[i - 1];
        return certificate({ key: key(name), certifiedBy: before === undefined ? [] : [link(before, name)] });
      });
      const trust = await judged({ certificates: chain, seeds: [key(names[0] ?? "")] });
      expect(trust.trusted.size).to.equal(1001);
      expect(trust.trusted.get(key(names.at(-1) ?? "").fingerprint)?.via).to.have.length(1000);
    }).timeout(60_000);
    it("gives the same answer in whatever order the certificates arrive", async () => {
      const certificates = drawn("S>A S>B A>C B>C C>D X>D", { X: { signatures: [revoke("X", 2)] } });
      const answer = await judge(certificates);
      expect(answer).to.equal("A:fork B:fork C(SA) D(SAC) S X:revoked");
      expect(await judge(certificates.toReversed())).to.equal(answer);
    });
  });

  describe("the ledger (T5)", () => {
    it("keeps what was accepted when an ancestor is later retired or expires", async () => {
      const retired = { A: { signatures: [revoke("A", 3)] } };
      expect(await judge(drawn("S>A A>B", retired))).to.equal("A(S) B:untrusted_signer S");
      expect(await judge(drawn("S>A A>B", retired), { accepted: set("AB") })).to.equal("A(S) B(SA) S");
    });
    it("drops what hung on an ancestor that is hard-revoked, accepted or not", async () => {
      const gone = { A: { signatures: [revoke("A", 2)] } };
      expect(await judge(drawn("S>A A>B B>C", gone), { accepted: set("ABC") })).to.equal(
        "A:revoked B:untrusted_signer C:untrusted_signer S",
      );
    });
    it("drops what hung on a seed that the profile no longer lists", async () => {
      expect(await judge(drawn("S R>A"), { accepted: set("RA") })).to.equal("A:untrusted_signer R:untrusted_signer S");
    });
    it("gives no weight of its own to a key that was accepted", async () => {
      expect(await judge(drawn("S A"), { accepted: set("A") })).to.equal("A:untrusted_signer S");
    });
  });

  describe("forks (T6)", () => {
    const rivals = "S>A S>B";
    it("refuses both rivals, and all that hangs on one side", async () => {
      expect(await judge(drawn(`${rivals} A>C B>D`))).to.equal("A:fork B:fork C:fork D:fork S");
      expect(await judge(drawn(`${rivals} B>A`))).to.equal("A:fork B:fork S");
    });
    it("keeps the one that was accepted", async () => {
      expect(await judge(drawn(`${rivals} A>C B>D`), { accepted: set("A") })).to.equal("A(S) B:fork C(SA) D:fork S");
    });
    it("accepts a later key that every side leads to, and what follows", async () => {
      expect(await judge(drawn(`${rivals} A>C B>C C>D`))).to.equal("A:fork B:fork C(SA) D(SAC) S");
    });
    it("sees none where the two certify each other, also if that has expired since", async () => {
      expect(await judge(drawn(`${rivals} A<>B`))).to.equal("A(S) B(S) S");
      const ended = { B: { certifiedBy: [link("A", "B", { expiresAfter: 60 })] } };
      expect(await judge(drawn(`${rivals} B>A`, ended))).to.equal("A(S) B(S) S");
    });
    it("sees one where that was withdrawn, or never held", async () => {
      const back = withdrawal({ by: key("A"), of: key("B"), userId: archiveId, at: day(20) });
      expect(await judge(drawn(`${rivals} A<>B`, { B: { certifiedBy: [back] } }))).to.equal("A:fork B:fork S");
      const weak = { B: { certifiedBy: [link("A", "B", { hash: "sha1" })] } };
      expect(await judge(drawn(`${rivals} B>A`, weak))).to.equal("A:fork B:fork S");
    });
    it("is over when one rival is revoked or has expired, not by a withdrawal alone", async () => {
      expect(await judge(drawn(rivals, { B: { signatures: [revoke("B", 2)] } }))).to.equal("A(S) B:revoked S");
      expect(await judge(drawn(rivals, { B: { signatures: [revoke("B", 1)] } }))).to.equal("A(S) B(S) S");
      expect(await judge(drawn(rivals, { B: { keyExpiresAfter: days(50) } }))).to.equal("A(S) B(S) S");
      // Who stole the issuer's key could withdraw the rightful successor, and bring his own.
      const withdrawn = withdrawal({ by: key("S"), of: key("B"), userId: archiveId, at: day(20) });
      const taken = { B: { certifiedBy: [withdrawn] } };
      expect(await judge(drawn(rivals, taken))).to.equal("A:fork B:untrusted_signer S");
      expect(await judge(drawn(rivals, taken), { accepted: set("A") })).to.equal("A(S) B:untrusted_signer S");
      expect(await judge(drawn(rivals, taken), { accepted: set("B") })).to.equal("A:fork B:untrusted_signer S");
      const abandoned = { B: { certifiedBy: [withdrawn], signatures: [revoke("B", 1)] } };
      expect(await judge(drawn(rivals, abandoned))).to.equal("A(S) B:untrusted_signer S");
    });
    it("has no say over a seed, nor over whom another path reaches", async () => {
      expect(await judge(drawn(rivals), { seeds: seeds("SA") })).to.equal("A B(S) S");
      expect(await judge(drawn(`${rivals} R>A`), { seeds: seeds("SR") })).to.match(/^A\([RS]\) B:fork R S$/);
    });
    it("lets an expired seed's thief have no more where the other seed has expired, too", async () => {
      const lapsed = { keyExpiresAfter: days(50) };
      const more = { A: lapsed, B: lapsed };
      expect(await judge(drawn("A>B B>C", more), { seeds: seeds("AB") })).to.equal("A B C(B)");
      expect(await judge(drawn("A>B B>C A>T", more), { seeds: seeds("AB") })).to.equal("A B C(B) T:fork");
    });
    it("is one too when a thief's key certifies its issuer back, as successors do", async () => {
      expect(await judge(drawn("S<>A S<>B"))).to.equal("A:fork B:fork S");
      expect(await judge(drawn("S<>A S<>B"), { accepted: set("A") })).to.equal("A(S) B:fork S");
    });
    it("has no say by strangers", async () => {
      expect(await judge(drawn("S>A X>A X>Y X>Z"))).to.equal(
        "A(S) S X:untrusted_signer Y:untrusted_signer Z:untrusted_signer",
      );
    });
    it("stays with those at hand: dates decide nothing", async () => {
      for (const at of [day(1), day(90)]) {
        expect(
          await judge(drawn("S>A", { B: {} }).concat(drawn("B", { B: { certifiedBy: [link("S", "B", { at })] } }))),
        ).to.equal("A:fork B:fork S");
      }
    });
  });

  describe("revocation checks (T11)", () => {
    it("bar a key that is unchecked, a seed too, and every path over it", async () => {
      expect(await judge(drawn("S>A A>B"), { unchecked: set("A") })).to.equal(
        "A:unchecked_revocation B:unchecked_revocation S",
      );
      expect(await judge(drawn("S>A A>B"), { unchecked: set("S") })).to.equal(
        "A:unchecked_revocation B:unchecked_revocation S:unchecked_revocation",
      );
      expect(await judge(drawn("S>A A<>B S>B"), { unchecked: set("A") })).to.equal("A:unchecked_revocation B(S) S");
    });
    it("are no reason where another is more serious", async () => {
      expect(await judge(drawn("S>A", { A: { signatures: [revoke("A", 2)] } }), { unchecked: set("A") })).to.equal(
        "A:revoked S",
      );
      expect(await judge(drawn("S X"), { unchecked: set("X") })).to.equal("S X:untrusted_signer");
      expect(await judge(drawn("S>A S>B"), { unchecked: set("A") })).to.equal("A:fork B:fork S");
    });
    it("do not settle a fork: the unchecked rival is still one", async () => {
      expect(await judge(drawn("S>A S>B B>C A>C"), { unchecked: set("B") })).to.match(/A:fork/);
      expect(await judge(drawn("S>A S>B B>C A>C"), { unchecked: set("B") })).not.to.match(/C\(/);
    });
  });

  it("names the user ID that matches, else a seed's first", async () => {
    const certificates = drawn("S A", {
      S: { userIds: ["Root <root@example.org>"] },
      A: { userIds: ["Else <else@example.org>", { userId: archiveId, signatures: [link("S", "A")] }] },
    });
    const { trusted } = await judged({ certificates, seeds: seeds("S") });
    expect(trusted.get(key("S").fingerprint)).to.include({ userId: "Root <root@example.org>", role: "seed" });
    expect(trusted.get(key("A").fingerprint)).to.include({ userId: archiveId, role: "successor" });
  });
});
