// Delegation: what a newer one of the same issuer does to the older ones, and what it does not.
import { expect } from "chai";
import type { Instant } from "../../src/time.ts";
import { certificate, type TestCertificate, type UserIdOptions } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import {
  cert,
  code,
  delegation,
  machine,
  master,
  nameOf,
  person,
  type Terms,
  withdrawn,
} from "../testkit/delegations.ts";
import type { Packet } from "../testkit/framing.ts";
import { ed25519Key, type TestKey } from "../testkit/keys.ts";
import { certification, withdrawal } from "../testkit/signature.ts";
import { exportable, notation } from "../testkit/subpackets.ts";

const secondId = "Machine, once more <machine2@build.example.org>";

/** The machine with delegations over its first user ID, and others over its second. */
function twice(first: readonly Packet[], second: readonly Packet[], options: Partial<UserIdOptions> = {}) {
  const userIds = [
    { userId: nameOf.get(machine) ?? "", signatures: first },
    { userId: secondId, signatures: second, ...options },
  ];
  return certificate({ key: machine, userIds });
}

async function may(certificates: readonly TestCertificate[], feed: string, at?: Instant): Promise<boolean> {
  return (await code(certificates, machine, feed, at)) === "good";
}

const old: Terms = { terms: "depth=0; feeds=base,games", at: day(10), days: 60 };

/** The machine with the old delegation and a newer one. */
function renewed(newer: Terms, by: TestKey = master) {
  return cert(machine, [delegation(master, machine, old), delegation(by, machine, { at: day(30), ...newer })]);
}

describe("trust/delegation: renewed", () => {
  it("holds longer by the newer one, in whatever order the two come", async () => {
    const pair = [delegation(master, machine, old), delegation(master, machine, { at: day(30), days: 60 })];
    for (const packets of [pair, pair.toReversed()]) {
      expect(await may([cert(machine, packets)], "base", day(50))).to.equal(true);
      expect(await may([cert(machine, packets)], "base", day(80))).to.equal(true);
      expect(await may([cert(machine, packets)], "base", day(95))).to.equal(false);
    }
  });

  it("is narrowed at once, though the older, wider one has not ended", async () => {
    const certificates = [renewed({ terms: "depth=0; feeds=base" })];
    expect(await may(certificates, "games", day(29))).to.equal(true);
    expect([await may(certificates, "base"), await may(certificates, "games")]).to.deep.equal([true, false]);
  });

  it("is widened at once", async () => {
    const certificates = [renewed({ terms: "depth=0; feeds=*" })];
    expect([await may(certificates, "net", day(29)), await may(certificates, "net")]).to.deep.equal([false, true]);
  });

  it("takes depth back", async () => {
    const certificates = [
      cert(person, [
        delegation(master, person, { terms: "depth=1; feeds=*" }),
        delegation(master, person, { terms: "depth=0; feeds=*", at: day(30) }),
      ]),
      cert(machine, [delegation(person, machine)]),
    ];
    expect([await may(certificates, "base", day(29)), await may(certificates, "base")]).to.deep.equal([true, false]);
    expect(await code(certificates, person)).to.equal("good");
  });

  const replacing: readonly [string, Terms][] = [
    ["has ended", { days: 1 }],
    ["never ends", { days: undefined }],
    ["has terms that can't be read", { terms: "depth=0; feeds=*; packages=*" }],
    ["has another depth in its trust signature", { terms: "depth=1; feeds=*", hashed: [] }],
    ["is marked as not exportable", { hashed: [exportable(false)] }],
    ["delegates twice at once", { hashed: [notation("delegate@example.net", "depth=0; feeds=*")] }],
  ];
  for (const [what, newer] of replacing) {
    it(`does not fall back to the older one where the newer ${what}`, async () => {
      expect(await may([renewed(newer)], "base", day(29))).to.equal(true);
      expect(await may([renewed(newer)], "base")).to.equal(false);
    });
  }

  const idle: readonly [string, TestCertificate][] = [
    ["of the future", renewed({ terms: "depth=0; feeds=games", at: day(60) })],
    ["of somebody else's", renewed({ terms: "depth=0; feeds=games" }, person)],
    [
      "certification that delegates nothing",
      cert(machine, [
        delegation(master, machine, old),
        certification({ by: master, of: machine, userId: nameOf.get(machine) ?? "", at: day(30) }),
      ]),
    ],
  ];
  for (const [what, certificate] of idle) {
    it(`goes on as before after a newer one ${what}`, async () => {
      expect(await may([certificate, cert(person)], "base")).to.equal(true);
    });
  }

  it("goes on as before after a newer one by a subkey of the issuer", async () => {
    const subkey = ed25519Key("delegation-subkey");
    const seed = certificate({ key: master, subkeys: [subkey] });
    const bySubkey = delegation(subkey, machine, { terms: "depth=0; feeds=*", at: day(30) });
    expect(await may([seed, cert(machine, [delegation(master, machine, old), bySubkey])], "base")).to.equal(true);
    expect(await may([seed, cert(machine, [delegation(master, machine, old), bySubkey])], "net")).to.equal(false);
    expect(await may([seed, cert(machine, [bySubkey])], "base"), "alone").to.equal(false);
  });

  it("of one second with another: each narrows the other", async () => {
    const pair = [
      delegation(master, machine, { terms: "depth=0; feeds=base,net" }),
      delegation(master, machine, { terms: "depth=0; feeds=base,games" }),
    ];
    for (const packets of [pair, pair.toReversed()]) {
      const allowed = await Promise.all(["base", "net", "games"].map((feed) => may([cert(machine, packets)], feed)));
      expect(allowed).to.deep.equal([true, false, false]);
    }
  });

  it("over another user ID replaces the first one's too, also where its owner took that user ID back", async () => {
    const newer = delegation(master, machine, { terms: "depth=0; feeds=base", at: day(30), userId: secondId });
    const wide = delegation(master, machine, old);
    expect(await may([twice([wide], [newer])], "base")).to.equal(true);
    expect(await may([twice([wide], [newer])], "games")).to.equal(false);
    const revoked = withdrawal({ by: machine, of: machine, userId: secondId, at: day(40) });
    expect(await may([twice([wide], [newer, revoked])], "games"), "its user ID revoked").to.equal(false);
    expect(await may([twice([wide], [newer], { self: false })], "games"), "not its own").to.equal(false);
  });

  it("after a withdrawal holds over another user ID only", async () => {
    const taken = [delegation(master, machine, old), withdrawn(master, machine, day(20))];
    const again = delegation(master, machine, { at: day(30) });
    expect(await may([cert(machine, [...taken, again])], "base")).to.equal(false);
    const over = delegation(master, machine, { at: day(30), userId: secondId });
    expect(await may([twice(taken, [over])], "base")).to.equal(true);
    const takenToo = withdrawal({ by: master, of: machine, userId: secondId, at: day(40) });
    expect(await may([twice([delegation(master, machine, old)], [over, takenToo])], "base"), "the newest one").to.equal(
      false,
    );
  });
});
