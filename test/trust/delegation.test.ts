import { expect } from "chai";
import fc from "fast-check";
import { formatTerms, matchesFeed, parseTerms } from "../../src/trust/delegation-terms.ts";
import { archiveId, certificate, type TestCertificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import {
  cert,
  code,
  data,
  delegation,
  machine,
  master,
  nameOf,
  person,
  root,
  withdrawn,
} from "../testkit/delegations.ts";
import { judged, verdict } from "../testkit/judging.ts";
import { ed25519Key } from "../testkit/keys.ts";
import { certification, dataSignature, keyRevocation } from "../testkit/signature.ts";

describe("trust/delegation", () => {
  it("lets a delegate sign", async () => {
    const trust = await judged({ certificates: [root, cert(machine, [delegation(master, machine)])], at: day(50) });
    const found = trust.trusted.get(machine.fingerprint);
    expect(found?.role).to.equal("delegate");
    expect(found?.via).to.deep.equal([master.fingerprint]);
    expect(await code([cert(machine, [delegation(master, machine)])])).to.equal("good");
  });

  it("advises to check the clock if the delegation is dated in the future, and to renew it if it has expired", async () => {
    const hint = async (at: number) => {
      const certificates = [root, cert(machine, [delegation(master, machine, { at: day(20), days: 30 })])];
      const trust = await judged({ certificates, at: day(at) });
      const refused = await verdict(trust, data, [dataSignature({ by: machine, at: day(1), data })], { feed: "base" });
      return (refused as { readonly hint?: string }).hint;
    };
    expect(await hint(15)).to.match(/check this machine's clock/);
    expect(await hint(60)).to.match(/keepers must renew it/);
  });

  it("lets it sign only the feeds of its scope", async () => {
    const certificates = [cert(machine, [delegation(master, machine, { terms: "depth=0; feeds=base,net-*" })])];
    expect(await code(certificates, machine, "base")).to.equal("good");
    expect(await code(certificates, machine, "net-www")).to.equal("good");
    expect(await code(certificates, machine, "games")).to.equal("untrusted_signer");
  });

  it("lets scopes meet along the path", async () => {
    const certificates = [
      cert(person, [delegation(master, person, { terms: "depth=1; feeds=net-*" })]),
      cert(machine, [delegation(person, machine, { terms: "depth=0; feeds=*-www,games" })]),
    ];
    expect(await code(certificates, machine, "net-www")).to.equal("good");
    expect(await code(certificates, machine, "net-mail"), "outside the machine's").to.equal("untrusted_signer");
    expect(await code(certificates, machine, "games"), "outside the person's").to.equal("untrusted_signer");
  });

  it("refuses the delegate of a delegate of depth 0", async () => {
    const certificates = [cert(person, [delegation(master, person)]), cert(machine, [delegation(person, machine)])];
    expect(await code(certificates)).to.equal("untrusted_signer");
    expect(await code(certificates, person), "the delegate itself").to.equal("good");
  });

  it("counts depth down, whatever a delegate claims", async () => {
    const third = ed25519Key("delegation-third");
    nameOf.set(third, "Third <third@example.org>");
    const certificates = [
      cert(person, [delegation(master, person, { terms: "depth=1; feeds=*" })]),
      cert(machine, [delegation(person, machine, { terms: "depth=5; feeds=*" })]),
      cert(third, [delegation(machine, third)]),
    ];
    expect(await code(certificates, machine)).to.equal("good");
    expect(await code(certificates, third)).to.equal("untrusted_signer");
  });

  const refused: readonly [string, TestCertificate[]][] = [
    ["an expired delegation", [cert(machine, [delegation(master, machine, { days: 30 })])]],
    ["a delegation without expiry", [cert(machine, [delegation(master, machine, { days: undefined })])]],
    ["malformed terms", [cert(machine, [delegation(master, machine, { terms: "depth=0;feeds=*" })])]],
    ["terms without feeds", [cert(machine, [delegation(master, machine, { terms: "depth=0; feeds=" })])]],
    [
      "a certification without terms",
      [cert(machine, [certification({ by: master, of: machine, userId: nameOf.get(machine) ?? "", at: day(10) })])],
    ],
    ["a withdrawn delegation", [cert(machine, [delegation(master, machine), withdrawn(master, machine, day(20))])]],
    [
      "a delegate of a revoked delegate",
      [
        cert(person, [delegation(master, person, { terms: "depth=1; feeds=*" })], {
          signatures: [keyRevocation({ by: person, of: person, at: day(30) })],
        }),
        cert(machine, [delegation(person, machine)]),
      ],
    ],
    [
      "a delegate of an expired delegate",
      [
        cert(person, [delegation(master, person, { terms: "depth=1; feeds=*" })], { keyExpiresAfter: 45 * 86_400 }),
        cert(machine, [delegation(person, machine)]),
      ],
    ],
    ["a delegation by a stranger", [cert(person), cert(machine, [delegation(person, machine)])]],
  ];
  for (const [name, certificates] of refused) {
    it(`refuses ${name}`, async () => {
      expect(await code(certificates)).to.equal("untrusted_signer");
    });
  }

  it("never makes a successor of a delegate, nor a delegate of who carries the archive's name", async () => {
    const pretender = certificate({ key: machine, certifiedBy: [delegation(master, machine, { userId: archiveId })] });
    expect(await code([pretender])).to.equal("untrusted_signer");
    const both = certificate({
      key: machine,
      userIds: [{ userId: nameOf.get(machine) ?? "", signatures: [delegation(master, machine)] }, archiveId],
    });
    expect(await code([both])).to.equal("untrusted_signer");
  });

  it("goes by a revocation check of every key on the path", async () => {
    const certificates = [root, cert(machine, [delegation(master, machine)])];
    const trust = await judged({ certificates, at: day(50), unchecked: new Set([machine.fingerprint]) });
    expect(trust.rejected.get(machine.fingerprint)?.code).to.equal("unchecked_revocation");
  });

  it("ends where delegates delegate in a circle", async () => {
    const terms = { terms: "depth=8; feeds=*" };
    const certificates = [
      cert(person, [delegation(master, person, terms), delegation(machine, person, terms)]),
      cert(machine, [delegation(person, machine, terms)]),
    ];
    expect(await code(certificates)).to.equal("good");
  });

  it("reads terms strictly, and writes what it reads", () => {
    expect(parseTerms("depth=2; feeds=a,b-*")).to.deep.equal({ depth: 2, feeds: ["a", "b-*"] });
    for (const bad of [
      "",
      "depth=1",
      "depth=-1; feeds=*",
      "depth=9; feeds=*",
      "depth=01; feeds=*",
      "depth=1; feeds=*\n",
      "depth=1; feeds=*; feeds=b",
      "Depth=1; feeds=*",
      "depth=1; feeds=,a",
      "depth=1; feeds=a,",
      "depth=1; feeds=\u00e4",
      "depth=1; feeds=[ab]",
      "depth=1; feeds=a b",
      "depth=1; feeds=a;b",
      "depth=1; feeds=a,,b",
    ]) {
      expect(parseTerms(bad), bad).to.equal(undefined);
    }
    const feed = fc.stringMatching(/^[A-Za-z0-9._*?-]{1,8}$/);
    fc.assert(
      fc.property(fc.nat(8), fc.array(feed, { minLength: 1, maxLength: 4 }), (depth, feeds) => {
        expect(parseTerms(formatTerms({ depth, feeds }))).to.deep.equal({ depth, feeds });
      }),
    );
  });

  it("matches globs as regular expressions would", () => {
    const text = fc.stringMatching(/^[ab]{0,6}$/);
    const pattern = fc.stringMatching(/^[ab*?]{1,6}$/);
    fc.assert(
      fc.property(text, pattern, (name, glob) => {
        const expected = new RegExp(`^${glob.replaceAll("?", ".").replaceAll("*", ".*")}$`).test(name);
        expect(matchesFeed(name, [glob])).to.equal(expected);
      }),
    );
  });
});
