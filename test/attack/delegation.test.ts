// Attack: every rule of delegation from the side of who wants more than he was given.
import { expect } from "chai";
import type { TestCertificate } from "../testkit/certificate.ts";
import { archiveId, certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { cert, code, data, delegation, machine, master, nameOf, person, root } from "../testkit/delegations.ts";
import { codeOf, judged, verdict } from "../testkit/judging.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, dataSignature, keyRevocation, withdrawal } from "../testkit/signature.ts";
import { critical, notation, reason, trustLevel } from "../testkit/subpackets.ts";

const machineId = nameOf.get(machine) ?? "";
const further = { terms: "depth=1; feeds=*" };
const deep = { terms: "depth=8; feeds=*" };

function named(name: string): TestKey {
  const key = ed25519Key(`attack-${name}`);
  nameOf.set(key, `${name} <${name}@build.example.org>`);
  return key;
}

describe("attack: delegation", () => {
  it("one delegate's crowd does not push another's machine aside", async () => {
    const [evil, honest, helper] = [named("evil"), named("honest"), named("helper")];
    const crowd = Array.from({ length: 40 }, (_, nth) => named(`crowd-${nth}`));
    const certificates = [
      cert(evil, [delegation(master, evil, deep)]),
      ...crowd.map((one) => cert(one, [delegation(evil, one, { terms: "depth=7; feeds=other" })])),
      cert(honest, [delegation(master, honest, deep)]),
      cert(helper, [delegation(honest, helper, deep)]),
      cert(machine, [
        ...crowd.map((one, nth) => delegation(one, machine, { terms: `depth=0; feeds=x${nth}` })),
        delegation(helper, machine),
      ]),
    ];
    expect(await code(certificates)).to.equal("good");
  });

  it("a notation marked critical delegates nothing, and makes no successor", async () => {
    const terms = critical(notation("delegate@example.org", "depth=0; feeds=*"));
    const by = (userId: string) => {
      return certification({ by: master, of: machine, userId, at: day(10), expiresAfter: 8_640_000, hashed: [terms] });
    };
    expect(await code([cert(machine, [by(machineId)])])).to.equal("untrusted_signer");
    expect(await code([certificate({ key: machine, certifiedBy: [by(archiveId)] })])).to.equal("untrusted_signer");
  });

  const disowned: readonly [string, TestCertificate][] = [
    [
      "its owner revoked",
      cert(machine, [
        delegation(master, machine),
        withdrawal({ by: machine, of: machine, userId: machineId, at: day(20), hashed: [reason(32)] }),
      ]),
    ],
    [
      "whose self-signature has ended",
      cert(machine, [delegation(master, machine)], {
        userIds: [{ userId: machineId, expiresAfter: 30 * 86_400 }, "Other <other@example.org>"],
      }),
    ],
    [
      "that it never signed itself",
      cert(machine, [delegation(master, machine)], {
        userIds: [{ userId: machineId, self: false }, "Other <other@example.org>"],
      }),
    ],
  ];
  for (const [what, subject] of disowned) {
    it(`nothing stands on a user ID ${what}`, async () => {
      expect(await code([subject])).to.equal("untrusted_signer");
    });
  }

  it("a retired issuer's delegates go with it, whatever the profile and the ledger forgive", async () => {
    const retired = certificate({
      key: master,
      signatures: [keyRevocation({ by: master, of: master, at: day(30), hashed: [reason(3)] })],
    });
    const trust = await judged({
      certificates: [retired, cert(machine, [delegation(master, machine)])],
      retiredIssuers: "accept",
      accepted: new Set([machine.fingerprint]),
      at: day(50),
    });
    const signed = [dataSignature({ by: machine, at: day(40), data })];
    expect(codeOf(await verdict(trust, data, signed))).to.equal("untrusted_signer");
  });

  it("the end of one above ends all that he gave", async () => {
    const certificates = [
      cert(person, [delegation(master, person, { ...further, days: 30 })]),
      cert(machine, [delegation(person, machine)]),
    ];
    expect([await code(certificates, machine, "base", day(39)), await code(certificates)]).to.deep.equal([
      "good",
      "untrusted_signer",
    ]);
  });

  it("two delegates of depth 0 who vouch for each other stay what they are", async () => {
    const certificates = [
      cert(person, [delegation(master, person, { terms: "depth=0; feeds=net" }), delegation(machine, person, deep)]),
      cert(machine, [delegation(master, machine, { terms: "depth=0; feeds=base" }), delegation(person, machine, deep)]),
    ];
    expect(await code(certificates, machine, "net")).to.equal("untrusted_signer");
    expect(await code(certificates, person, "base")).to.equal("untrusted_signer");
    expect(await code(certificates, machine, "base")).to.equal("good");
  });

  it("depth is not regained by way of another delegate", async () => {
    const last = named("last");
    const certificates = [
      cert(person, [delegation(master, person, further)]),
      cert(machine, [delegation(person, machine, deep)]),
      cert(last, [delegation(machine, last, deep)]),
      // And once more around: the machine delegates its own issuer what it would need.
      cert(person, [delegation(machine, person, deep)]),
    ];
    expect(await code(certificates, last)).to.equal("untrusted_signer");
  });

  it("what a key says of itself, or binds to itself, is no delegation", async () => {
    const hashed = [notation("delegate@example.org", "depth=8; feeds=*"), trustLevel(9, 120)];
    const boast = certificate({ key: machine, userIds: [{ userId: machineId, hashed }], hashed });
    expect(await code([boast])).to.equal("untrusted_signer");
  });

  const globs: readonly [string, string, boolean][] = [
    ["*", "base", true],
    ["", "base", false],
    ["BASE", "base", false],
    ["base ", "base", false],
    ["base,", "base", false],
    [",base", "base", false],
    ["other base", "base", false],
    ["*;base", "base", false],
    ["ba[s]e", "base", false],
    ["ba.e", "base", false],
    ["b?se", "base", true],
    ["?", "base", false],
    ["base?", "base", false],
    ["base*", "base", true],
    ["*?base", "base", false],
    ["base\u0000", "base", false],
    ["b\u00e1se,base", "base", false],
  ];
  for (const [scope, feed, allowed] of globs) {
    it(`the scope ${JSON.stringify(scope)} ${allowed ? "is for" : "is not for"} "${feed}"`, async () => {
      const terms = `depth=0; feeds=${scope}`;
      const expected = allowed ? "good" : "untrusted_signer";
      expect(await code([cert(machine, [delegation(master, machine, { terms })])], machine, feed)).to.equal(expected);
    });
  }

  it("no terms are read out of pieces, or under another name", async () => {
    for (const [name, value] of [
      ["delegate", "depth=0; feeds=*"],
      ["Delegate@example.org", "depth=0; feeds=*"],
      ["xdelegate@example.org", "depth=0; feeds=*"],
      ["delegate@example.org", "feeds=*; depth=0"],
      ["delegate@example.org", "depth=0; feeds=*; "],
      ["delegate@example.org", " depth=0; feeds=*"],
      ["delegate@example.org", "depth=0;  feeds=*"],
      ["delegate@example.org", "depth=0\u003b feeds=*\n"],
      ["delegate@example.org", "depth=+1; feeds=*"],
      ["delegate@example.org", "depth=\u0660; feeds=*"],
    ] as const) {
      const hashed = [notation(name, value)];
      const made = certification({
        by: master,
        of: machine,
        userId: machineId,
        at: day(10),
        expiresAfter: 8_640_000,
        hashed,
      });
      expect(await code([cert(machine, [made])]), `${name} = ${value}`).to.equal("untrusted_signer");
    }
  });

  it("a trust signature without terms delegates nothing", async () => {
    const hashed = [trustLevel(2, 120)];
    const made = certification({
      by: master,
      of: machine,
      userId: machineId,
      at: day(10),
      expiresAfter: 8_640_000,
      hashed,
    });
    expect(await code([cert(machine, [made])])).to.equal("untrusted_signer");
    expect(await code([root, cert(machine, [delegation(master, machine, { hashed: [trustLevel(1, 60)] })])])).to.equal(
      "untrusted_signer",
    );
  });
});
