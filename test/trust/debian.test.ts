/** A real chain: Debian's archive keys, release by release. */
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import type { TrustSet } from "../../src/trust/judge.ts";
import { refusePrimary } from "../../src/trust/key-state.ts";
import { type Bytes, judged } from "../testkit/judging.ts";

const folder = "test/vectors/debian-archive";
const at = Date.UTC(2026, 10, 23, 12);

const ids = {
  2004: "6FFA8EF91DB114E0",
  2005: "F1D53D8C4F368D5D",
  2006: "010908312D230C5F",
  squeeze: "AED4B06F473041FA",
  wheezy: "8B48AD6246925553",
  jessie: "7638D0442B90D010",
  "jessie security": "9D6D8F6BC857C906",
  stretch: "E0B11894F66AEC98",
  "stretch security": "EDA0D2388AE22BA9",
  buster: "DC30D7C23CBBABEE",
  "buster security": "4DFAB270CAA96DFA",
  bullseye: "73A4F27B8DD47936",
  "bullseye security": "A48449044AAD5C5D",
  bookworm: "B7C5D7D6350947F8",
  "bookworm security": "254CF3B5AEC0A8F0",
  trixie: "225629DF75B188BD",
  "trixie security": "9904613D4CCE68C6",
} as const;
type Release = `${keyof typeof ids}`;

describe("Debian's archive keys", () => {
  const certificates: Bytes[] = [];
  const fingerprints = new Map<string, string>();
  before(() => {
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".asc"))) {
      const { certificates: found, problems, secretKeys } = readKeys(readFileSync(`${folder}/${file}`));
      expect([found.length, problems, secretKeys], file).to.deep.equal([1, [], 0]);
      for (const raw of found) {
        certificates.push({ bytes: writeCertificate(raw) });
        fingerprints.set(raw.fingerprint.slice(-16), raw.fingerprint);
      }
    }
    expect(certificates).to.have.length(32);
  });

  const fingerprint = (release: Release) => fingerprints.get(ids[release]) ?? "missing";
  const from = (seed: Release, more: object = {}) => {
    const identity = { kind: "user-email", email: "ftpmaster@debian.org" } as const;
    return judged({ certificates, seeds: [{ fingerprint: fingerprint(seed) }], identity, at, ...more });
  };
  const known = ({ trusted }: TrustSet) => Object.keys(ids).filter((name) => trusted.has(fingerprint(name as Release)));

  it("wheezy leads to trixie and all releases between, over six keys", async () => {
    const trust = await from("wheezy");
    expect(known(trust)).to.have.members(Object.keys(ids).filter((name) => !/20|squeeze/.test(name)));
    expect(trust.trusted.size).to.equal(13);
    const via = trust.trusted.get(fingerprint("trixie"))?.via ?? [];
    expect(via).to.have.length(6);
    expect(via[0]).to.equal(fingerprint("wheezy"));
    expect(trust.trusted.get(fingerprint("bookworm"))?.via).to.have.length(5);
  });

  it("wheezy, jessie and stretch have expired, which their successors have not", async () => {
    const { trusted } = await from("wheezy");
    const state = (release: Release) => {
      const facts = trusted.get(fingerprint(release))?.facts;
      return facts === undefined ? "not trusted" : (refusePrimary(facts, at)?.code ?? "good");
    };
    for (const release of ["wheezy", "jessie", "stretch"] as const) expect(state(release), release).to.equal("expired");
    for (const release of ["buster", "bullseye", "bookworm", "trixie"] as const)
      expect(state(release), release).to.equal("good");
  });

  it("no release is the victim of a fork, and the stable release keys carry another address", async () => {
    const { rejected } = await from("wheezy");
    expect([...rejected.values()].filter(({ code }) => code === "fork")).to.deep.equal([]);
    const others = [...rejected.values()].filter(({ facts }) => /debian-release@/.test(facts.userIds[0]?.text ?? ""));
    expect(others).to.have.length(10);
    for (const { reason } of others) expect(reason).to.match(/does not carry the user ID "ftpmaster@debian.org"/);
  });

  it("squeeze leads to nothing", async () => {
    const trust = await from("squeeze");
    expect(known(trust)).to.deep.equal(["squeeze"]);
    expect(trust.trusted.size).to.equal(1);
    expect(trust.rejected.get(fingerprint("jessie"))?.reason).to.match(/is not in the chain itself/);
  });

  it("2004 to 2005 is MD5, 2005 to 2006 SHA-1, and the keys are weak too", async () => {
    for (const seed of ["2004", "2005"] as const) {
      const trust = await from(seed);
      expect(known(trust)).to.deep.equal([seed]);
      const link = (issuer: Release, subject: Release) => {
        return trust.links.find((one) => one.issuer === fingerprint(issuer) && one.subject === fingerprint(subject))
          ?.refusal;
      };
      expect(link("2004", "2005")).to.deep.equal({ code: "weak_algorithm", reason: "it uses MD5" });
      expect(link("2005", "2006")).to.deep.equal({ code: "weak_algorithm", reason: "it uses SHA1" });
      const reason = (release: Release) => {
        const facts = (trust.trusted.get(fingerprint(release)) ?? trust.rejected.get(fingerprint(release)))?.facts;
        return facts && refusePrimary(facts, at);
      };
      expect(reason("2004")).to.deep.equal({ code: "weak_algorithm", reason: "the key is RSA of only 1024 bits" });
      for (const release of ["2005", "2006"] as const) {
        expect(reason(release)).to.deep.equal({ code: "weak_algorithm", reason: "the key's algorithm is DSA" });
      }
    }
  });

  it("a release that is unchecked cuts the chain only where no other path is left", async () => {
    const trust = await from("wheezy", { unchecked: new Set([fingerprint("bullseye")]) });
    expect(trust.rejected.get(fingerprint("bullseye"))?.code).to.equal("unchecked_revocation");
    expect(trust.trusted.has(fingerprint("trixie"))).to.equal(true);
    const both = await from("wheezy", {
      unchecked: new Set([fingerprint("bullseye"), fingerprint("bullseye security")]),
    });
    expect(both.rejected.get(fingerprint("trixie"))?.code).to.equal("unchecked_revocation");
  });
});
