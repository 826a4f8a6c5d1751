import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { emptyLedger, type LedgerFile, parseLedger, serializeLedger } from "../../src/store/ledger.ts";
import { fingerprintA } from "../testkit/scratch.ts";
import { sampleLedger } from "./sample-state.ts";

const path = "/state/proteanos/ledger.json";

function parse(text: string): LedgerFile {
  return parseLedger(Buffer.from(text), path, "proteanos");
}

function failure(text: string): FeedkeyError {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof FeedkeyError) return error;
    throw error;
  }
  throw new Error(`accepted: ${text}`);
}

const written = serializeLedger(sampleLedger, "proteanos");

/** The sample with one value replaced. */
function changed(change: (document: Record<string, Record<string, unknown>>) => void): string {
  const document = JSON.parse(written);
  change(document);
  return JSON.stringify(document);
}

describe("store/ledger", () => {
  it("reads back what it wrote", () => {
    expect(parse(written)).to.deep.equal(sampleLedger);
    expect(parse(serializeLedger(emptyLedger, "proteanos"))).to.deep.equal(emptyLedger);
  });

  it("reads the whole paths that older versions wrote", () => {
    const before = fingerprintA.replace(/./g, "B");
    const older = (more: object) => {
      const document = JSON.parse(written);
      delete document.digest;
      Object.assign(document.keys[fingerprintA], more);
      return JSON.stringify(document);
    };
    expect(parse(older({ path: [before, fingerprintA] })).keys.get(fingerprintA)?.from).to.equal(before);
    expect(parse(older({ path: [fingerprintA] })).keys.get(fingerprintA)?.from).to.equal(undefined);
    expect(failure(older({ path: [before, fingerprintA], from: before })).message).to.contain("two predecessors");
  });

  it("is written sorted and with times that people can read", () => {
    const document = JSON.parse(written);
    expect(Object.keys(document)).to.deep.equal([
      "version",
      "profile",
      "keys",
      "checks",
      "feeds",
      "certificates",
      "digest",
    ]);
    expect(document.version).to.equal(1);
    expect(document.keys[fingerprintA]).to.deep.equal({
      acceptedAt: "2026-01-31T12:00:00Z",
      role: "seed",
      wasLive: true,
      passed: [],
    });
    const reversed = { ...sampleLedger, keys: new Map([...sampleLedger.keys].reverse()) };
    expect(serializeLedger(reversed, "proteanos")).to.equal(written);
  });

  it("is damaged when cut off at any byte but the last", () => {
    // The last one is the line feed.
    for (let length = 0; length < written.length - 1; length += 1) {
      expect(failure(written.slice(0, length)).code).to.equal("bad_state");
    }
    expect(parse(written.slice(0, -1))).to.deep.equal(sampleLedger);
  });

  it("is damaged by any other digit", () => {
    for (const match of written.matchAll(/\d/g)) {
      const text = `${written.slice(0, match.index)}${(Number(match[0]) + 1) % 10}${written.slice(match.index + 1)}`;
      expect(failure(text).code, text.slice(match.index - 20, match.index + 1)).to.equal("bad_state");
    }
  });

  it("fails with bad_state alone, whatever the bytes", () => {
    const bytes = Buffer.from(written);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
        const other = Buffer.from(bytes);
        other[at] = byte;
        try {
          parseLedger(other, path, "proteanos");
        } catch (error) {
          expect(error).to.be.instanceOf(FeedkeyError).with.property("code", "bad_state");
        }
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.json(), (json) => failure(json).code === "bad_state"),
      { numRuns: 100 },
    );
  });

  it("says the file, the place and the way out", () => {
    const error = failure(changed((document) => Object.assign(document.keys?.[fingerprintA] ?? {}, { role: "king" })));
    expect(error.message).to.equal(
      `the client state "${path}" is damaged: keys of ${fingerprintA}: expected seed or successor or delegate`,
    );
    expect(error.details).to.deep.equal({ path });
    expect(error.hint).to.include("--reset-state");
  });

  it("refuses a newer version, and says so rather than calling it damage", () => {
    const error = failure(changed((document) => Object.assign(document, { version: 2, chains: {} })));
    expect(error.code).to.equal("bad_state");
    expect(error.message).to.equal(
      `the client state "${path}" has version 2, which is newer than version 1, the newest that this program knows`,
    );
    expect(error.hint).to.include("use a feedkey at least as new");
  });

  const bad: Record<string, (document: Record<string, Record<string, unknown>>) => void> = {
    "version 0": (document) => Object.assign(document, { version: 0 }),
    "a version in quotes": (document) => Object.assign(document, { version: "1" }),
    "no version": (document) => void delete document.version,
    "another profile": (document) => Object.assign(document, { profile: "debian" }),
    "an unknown section": (document) => Object.assign(document, { more: {} }),
    "a missing section": (document) => void delete document.feeds,
    "a list for an object": (document) => Object.assign(document, { keys: [] }),
    "a key ID for a fingerprint": (document) => Object.assign(document.checks ?? {}, { ABCDEF0123456789: {} }),
    "a lower-case fingerprint": (document) => {
      Object.assign(document.keys ?? {}, { [fingerprintA.toLowerCase()]: document.keys?.[fingerprintA] });
    },
    "a day that does not exist": (document) => {
      Object.assign(document.keys?.[fingerprintA] ?? {}, { acceptedAt: "2026-02-30T12:00:00Z" });
    },
    "a time in another zone": (document) => {
      Object.assign(document.keys?.[fingerprintA] ?? {}, { acceptedAt: "2026-02-20T12:00:00+01:00" });
    },
    "a digest in upper case": (document) => {
      Object.assign(document.feeds?.base ?? {}, { sha256: "A".repeat(64) });
    },
    "a number for a flag": (document) => Object.assign(document.checks?.[fingerprintA] ?? {}, { everFound: 1 }),
    "a missing field": (document) => Object.assign(document.feeds ?? {}, { base: { sha256: "a".repeat(64) } }),
    "an empty previous digest": (document) => {
      Object.assign(document.certificates?.[fingerprintA] ?? {}, { previous: "" });
    },
  };
  for (const [what, change] of Object.entries(bad)) {
    it(`refuses ${what}`, () => {
      expect(failure(changed(change)).code).to.equal("bad_state");
    });
  }

  it("refuses bytes that are not UTF-8", () => {
    const bytes = Buffer.from(written.replace('"base"', '"b?se"'));
    bytes[bytes.indexOf('"b?se"') + 2] = 0xff;
    expect(() => parseLedger(bytes, path, "proteanos"))
      .to.throw(FeedkeyError, "not JSON")
      .with.property("code", "bad_state");
  });

  it("takes __proto__ and constructor for names like any other", () => {
    const feeds = new Map(["__proto__", "constructor"].map((name) => [name, { createdAt: 0, sha256: "a".repeat(64) }]));
    const text = serializeLedger({ ...emptyLedger, feeds }, "proteanos");
    expect(parse(text).feeds).to.deep.equal(feeds);
    expect(failure(text.replace('"keys": {}', '"keys": { "__proto__": {} }')).code).to.equal("bad_state");
    expect(failure(text.replace('"keys": {}', '"keys": {}, "__proto__": {}')).code).to.equal("bad_state");
    expect(Object.getOwnPropertyNames(Object.prototype)).to.not.include("sha256");
  });
});
