/** T7: extensions that come too late. Days are counted from the creation of all keys. */
import { expect } from "chai";
import type { TrustSet } from "../../src/trust/judge.ts";
import { refusePrimary } from "../../src/trust/key-state.ts";
import { archiveId, asCertificate, certificate, selfSignature, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import type { Packet } from "../testkit/framing.ts";
import { judged } from "../testkit/judging.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification } from "../testkit/signature.ts";

const [a, b, m] = [ed25519Key("a"), ed25519Key("b"), ed25519Key("m")];
const days = (count: number) => count * 86_400;

/** A certificate that ends after so many days, and was extended once or more: [when, until which day]. */
function key(of: TestKey, until: number | undefined, extended: [number, number?][], ...certifiedBy: Packet[]) {
  const ends = (day: number | undefined) => (day === undefined ? {} : { keyExpiresAfter: days(day) });
  const later = extended.map(([at, end]) => selfSignature({ key: of, at: day(at), ...ends(end) }));
  return certificate({ key: of, ...ends(until), certifiedBy: [...later, ...certifiedBy] });
}

const by = (issuer: TestKey, of: TestKey, at: number) =>
  certification({ by: issuer, of, userId: archiveId, at: day(at) });

interface Scene {
  readonly certificates: readonly TestCertificate[];
  /** When the client knew keys to end. */
  readonly ends?: readonly [TestKey, number][];
}

/** Which keys may sign at day 100, by letter. */
async function signers({ certificates, ends = [] }: Scene): Promise<string> {
  const trust: TrustSet = await judged({
    certificates,
    ends: new Map(ends.map(([of, end]) => [of.fingerprint, [day(end)]])),
    accepted: new Set(ends.map(([of]) => of.fingerprint)),
  });
  const able = Object.entries({ a, b, m }).filter(([, { fingerprint }]) => {
    const found = trust.trusted.get(fingerprint);
    return found !== undefined && refusePrimary(found.facts, trust.at) === undefined;
  });
  return able.map(([letter]) => letter).join("");
}

describe("trust/extension (T7)", () => {
  const successor = key(b, undefined, [], by(a, b, 20));
  const lapsed = key(b, 60, [], by(a, b, 20));

  const cases: readonly (readonly [what: string, scene: Scene, signers: string])[] = [
    ["in time, it counts", { certificates: [key(a, 50, [[40, 200]]), successor] }, "ab"],
    ["after the end, it does not where a successor lives", { certificates: [key(a, 50, [[60, 200]]), successor] }, "b"],
    ["nor without an end", { certificates: [key(a, 50, [[60]]), successor] }, "b"],
    ["at the very end", { certificates: [key(a, 50, [[50, 200]]), successor] }, "b"],
    ["a second before it", { certificates: [key(a, 50, [[49.99, 200]]), successor] }, "ab"],
    ["without a successor it does", { certificates: [key(a, 50, [[60, 200]])] }, "a"],
    ["with one that has expired it does", { certificates: [key(a, 50, [[70, 200]]), lapsed] }, "a"],
    [
      "with one that was extended late itself that one counts",
      { certificates: [key(a, 50, [[70, 200]]), key(b, 60, [[70, 200]], by(a, b, 20))] },
      "b",
    ],
    [
      "a second one does not help the first",
      {
        certificates: [
          key(a, 50, [
            [60, 80],
            [70, 200],
          ]),
          successor,
        ],
      },
      "b",
    ],
    [
      "what ended again in the meantime is late again",
      {
        certificates: [
          key(a, 50, [
            [40, 70],
            [80, 200],
          ]),
          successor,
        ],
      },
      "b",
    ],
    [
      "dated back, but first heard after the end",
      { certificates: [key(a, 50, [[40, 200]]), successor], ends: [[a, 50]] },
      "b",
    ],
    ["heard in time", { certificates: [key(a, 50, [[40, 200]]), successor], ends: [[a, 200]] }, "ab"],
    [
      "first heard after the end, without a successor",
      { certificates: [key(a, 50, [[40, 200]])], ends: [[a, 50]] },
      "a",
    ],
    ["made shorter, it has ended", { certificates: [key(a, 200, [[40, 50]]), successor], ends: [[a, 200]] }, "b"],
  ];
  for (const [what, scene, expected] of cases) {
    it(what, async () => expect(await signers(scene)).to.equal(expected));
  }

  it("what is certified after the old end is a rival, and no more", async () => {
    const mine = key(m, undefined, [], by(a, m, 70));
    expect(await signers({ certificates: [key(a, 50, [[60, 200]]), mine] })).to.equal("am");
    for (const end of [200, 80]) {
      const certificates = [key(a, 50, [[60, end]]), successor, mine];
      expect(await signers({ certificates })).to.equal("");
      expect(await signers({ certificates, ends: [[b, 500]] })).to.equal("b");
    }
  });

  it("an earlier end of the issuer's does not cut off its rightful successor in favour of the thief's", async () => {
    const mine = key(m, undefined, [], by(a, m, 5));
    const shortened = key(a, undefined, [[30, 7]]);
    expect(await signers({ certificates: [shortened, successor, mine] })).to.equal("");
    expect(await signers({ certificates: [shortened, successor, mine], ends: [[b, 500]] })).to.equal("b");
    expect(await signers({ certificates: [shortened, successor], ends: [[b, 500]] })).to.equal("b");
  });

  it("a lapsed key that was extended and certified its successor then is not undone by what its thief dates back", async () => {
    const lapsedOnce = key(a, 15, [[18, 31]]);
    const after = key(b, undefined, [], by(a, b, 30));
    const mine = key(m, undefined, [], by(a, m, 5));
    expect(await signers({ certificates: [lapsedOnce, after] })).to.equal("b");
    expect(await signers({ certificates: [lapsedOnce, after, mine] })).to.equal("");
    expect(await signers({ certificates: [lapsedOnce, after, mine], ends: [[b, 500]] })).to.equal("b");
  });

  it("a second late extension is judged by itself", async () => {
    const twice = key(a, 10, [
      [15, 30],
      [39, 200],
    ]);
    expect(await signers({ certificates: [twice] })).to.equal("a");
    expect(await signers({ certificates: [twice, key(b, undefined, [], by(a, b, 25))] })).to.equal("b");
  });

  it("what a thief does to one key is judged although the one before it was extended late, too", async () => {
    const c = ed25519Key("c");
    const first = key(a, 10, [[15, 30]]);
    const second = key(b, 35, [[39, 200]], by(a, b, 25));
    const third = certificate({ key: c, certifiedBy: [by(b, c, 30)] });
    expect(await signers({ certificates: [first, second] })).to.equal("b");
    expect(await signers({ certificates: [first, second, third] })).to.equal("");
  });

  it("no way to a successor leads over the key's own ancestors", async () => {
    // The last key certified its predecessor back, and that certified a side key, which is nobody's successor.
    const predecessor = key(a, 50, [], by(b, a, 20));
    const acknowledged = certification({ by: m, of: b, userId: archiveId, at: day(20), expiresAfter: days(1) });
    const lapsedLast = key(b, 60, [[70, 200]], by(a, b, 20), acknowledged);
    const side = key(m, undefined, [], by(a, m, 20), by(b, m, 65));
    expect(await signers({ certificates: [predecessor, lapsedLast, side] })).to.equal("bm");
    // A side key of the last one's own is.
    const beside = key(m, undefined, [], by(a, m, 20), by(b, m, 20));
    expect(await signers({ certificates: [predecessor, lapsedLast, beside] })).to.equal("m");
  });

  it("a successor that does not hang on the chain counts for nothing", async () => {
    const stranger = key(b, undefined, []);
    expect(await signers({ certificates: [key(a, 50, [[60, 200]]), stranger] })).to.equal("a");
  });

  it("the order of packets decides nothing", async () => {
    const { packets } = key(a, 50, [[60, 200]]);
    const [primary, userId, ...signatures] = packets;
    if (primary === undefined || userId === undefined) throw new Error("too few packets");
    const turned = asCertificate(a, [primary, userId, ...signatures.reverse()]);
    expect(await signers({ certificates: [turned, successor] })).to.equal("b");
  });
});
