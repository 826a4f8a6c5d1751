// Until when a key may sign if nobody renews anything, and what is told of that in time.
import { expect } from "chai";
import { isNear, outlookOf } from "../../src/trust/expiry-forecast.ts";
import { archiveId, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { cert, delegation, machine, master, person, root } from "../testkit/delegations.ts";
import { judged } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";

const at = day(20);
const days = (count: number) => count * 86_400;
const further = { terms: "depth=1; feeds=*" };

async function outlook(certificates: readonly TestCertificate[], feed?: string, of = machine, signer?: string) {
  const trust = await judged({ certificates, at });
  const key = trust.trusted.get(of.fingerprint);
  return key && outlookOf(key, trust, feed, signer);
}

describe("trust/outlook", () => {
  it("of a key of the chain: its own expiry, or none", async () => {
    const ending = certificate({ key: master, keyExpiresAfter: days(50) });
    expect(await outlook([ending], "base", master)).to.deep.include({ until: day(50), key: master.fingerprint });
    expect((await outlook([root], "base", master))?.until).to.equal(Number.POSITIVE_INFINITY);
  });

  it("of a subkey that signed: its own, where it ends sooner; of whichever may, the last", async () => {
    const [one, other] = [ed25519Key("outlook-one"), ed25519Key("outlook-other")];
    const subkeys = [
      { key: one, keyExpiresAfter: days(40) },
      { key: other, keyExpiresAfter: days(70) },
    ];
    const both = [certificate({ key: master, keyExpiresAfter: days(90), flags: ["certify"], subkeys })];
    for (const [signer, until] of [
      [one.fingerprint, day(40)],
      [other.fingerprint, day(70)],
      [undefined, day(70)],
    ] as const) {
      expect((await outlook(both, "base", master, signer))?.until).to.equal(until);
    }
    expect(await outlook(both, "base", master, master.fingerprint), "the primary").to.equal(undefined);
  });

  it("of a key that only certifies, and of one that is gone: none", async () => {
    expect(await outlook([certificate({ key: master, flags: ["certify"] })], "base", master)).to.equal(undefined);
    expect(await outlook([certificate({ key: master, keyExpiresAfter: days(10) })], "base", master)).to.equal(
      undefined,
    );
  });

  it("of a delegate: the first delegation on its path to end, or the first key", async () => {
    const cases: readonly [string, TestCertificate[], number, string][] = [
      [
        "its own",
        [
          root,
          cert(person, [delegation(master, person, further)]),
          cert(machine, [delegation(person, machine, { days: 30 })]),
        ],
        day(40),
        machine.fingerprint,
      ],
      [
        "the one above",
        [
          root,
          cert(person, [delegation(master, person, { ...further, days: 30 })]),
          cert(machine, [delegation(person, machine)]),
        ],
        day(40),
        person.fingerprint,
      ],
      [
        "its own key",
        [
          root,
          cert(person, [delegation(master, person, further)]),
          cert(machine, [delegation(person, machine)], { keyExpiresAfter: days(45) }),
        ],
        day(45),
        machine.fingerprint,
      ],
      [
        "the key above",
        [
          root,
          cert(person, [delegation(master, person, further)], { keyExpiresAfter: days(46) }),
          cert(machine, [delegation(person, machine)]),
        ],
        day(46),
        person.fingerprint,
      ],
      [
        "the key at the top",
        [certificate({ key: master, keyExpiresAfter: days(47) }), cert(machine, [delegation(master, machine)])],
        day(47),
        master.fingerprint,
      ],
    ];
    for (const [what, certificates, until, key] of cases) {
      const end = await outlook(certificates, "base");
      expect([end?.until, end?.key], what).to.deep.equal([until, key]);
      expect(end?.step?.subject, what).to.equal(what.includes("key") ? undefined : key);
    }
  });

  it("of a delegate with two paths: the one that goes on longest, of those that are for the feed", async () => {
    const certificates = [
      root,
      cert(person, [delegation(master, person, { terms: "depth=1; feeds=net", days: 80 })]),
      cert(machine, [
        delegation(master, machine, { terms: "depth=0; feeds=base,net", days: 30 }),
        delegation(person, machine, { days: 60 }),
      ]),
    ];
    expect((await outlook(certificates, "base"))?.until).to.equal(day(40));
    expect((await outlook(certificates, "net"))?.until).to.equal(day(70));
    expect((await outlook(certificates))?.until).to.equal(day(70));
    expect(await outlook(certificates, "games")).to.equal(undefined);
  });

  it("is near two weeks before, or in the last third of its time", () => {
    const near = (length: number, left: number) =>
      isNear({ since: at - days(length) * 1000, until: at + days(left) * 1000 }, at);
    expect([near(76, 14), near(77, 13)], "90 days").to.deep.equal([false, true]);
    expect([near(20, 10), near(21, 9)], "30 days").to.deep.equal([false, true]);
    expect(isNear({ since: 0, until: Number.POSITIVE_INFINITY }, at)).to.equal(false);
    expect(near(90, -1)).to.equal(true);
  });

  it("has nothing to say of what is only named like the archive", async () => {
    expect(await outlook([root, certificate({ key: machine, userIds: [archiveId] })])).to.equal(undefined);
  });
});
