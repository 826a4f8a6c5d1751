import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { maxIndexBytes } from "../../src/formats/formats.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import type { Feed, Identity } from "../../src/profile/types.ts";
import { formatProfile, type ProfileValues } from "../../src/profile/write-profile.ts";
import { refusal } from "../testkit/refusal.ts";
import { read } from "./sample-profile.ts";

const file = "/profiles/x.ini";
const sample = read();

function readBack(values: ProfileValues): ProfileValues {
  const { archive, trust, feeds } = readProfile(formatProfile(values), file);
  return { archive, trust, feeds };
}

// Text as a user ID may hold it: anything but control characters.
const text = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(" ", ";", "#", '"', "'", "\\", "=", "<", "@", "$", "{", ","),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 12,
  })
  .filter((string) => string !== "" && !/\p{Cc}/u.test(string));
const word = fc.stringMatching(/^[a-z0-9]{1,8}$/);
const host = fc.stringMatching(/^[a-z]{1,8}\.example$/);
const folder = fc.array(word, { maxLength: 3 }).map((segments) => segments.join("/"));
const url = fc
  .tuple(fc.constantFrom("https", "http"), host, folder)
  .map(([scheme, name, path]) => `${scheme}://${name}/${path === "" ? "" : `${path}/`}`);
const seed = fc.stringMatching(/^([0-9A-F]{40}|[0-9A-F]{64})$/);
const length = fc
  .tuple(fc.integer({ min: 1, max: 99_999 }), fc.constantFrom(1000, 60_000, 3_600_000, 86_400_000))
  .map(([count, unit]) => count * unit);
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const identity: fc.Arbitrary<Identity> = fc.oneof(
  text.map((userId) => ({ kind: "user-id" as const, userId })),
  fc.tuple(word, host).map(([local, domain]) => ({ kind: "user-email" as const, email: `${local}@${domain}` })),
);
const feed: fc.Arbitrary<Feed> = fc.record(
  {
    name: fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,8}$/),
    format: fc.constantFrom("opkg", "pkgsrc"),
    path: folder,
    index: maybe(fc.constantFrom("Packages.gz", "pkg_summary.xz", "my index")),
    packages: fc.constantFrom("feed", "archive"),
    maxIndexSize: fc.integer({ min: 1, max: maxIndexBytes }),
  },
  { requiredKeys: ["name", "format", "path", "index", "packages"] },
);
const values: fc.Arbitrary<ProfileValues> = fc.record({
  archive: fc
    .record({
      name: text,
      urls: fc.uniqueArray(url, { minLength: 1, maxLength: 4 }),
      ca: maybe(fc.constant("/archive-ca.pem")),
      redirects: fc.constantFrom("any" as const, "same-origin" as const),
      identity,
      verify: fc.constantFrom("required" as const, "off" as const),
    })
    .map(({ urls: [first = "", ...mirrors], ...rest }) => ({ ...rest, url: first, mirrors })),
  trust: fc.record({
    keyring: text.map((name) => `/keys/${name.replaceAll("/", "")}x`),
    seeds: fc.uniqueArray(seed, { maxLength: 3 }),
    keyservers: fc.uniqueArray(host, { maxLength: 3 }).map((hosts) => hosts.map((name) => `hkps://${name}`)),
    keyserverCa: maybe(fc.constant("/ca.pem")),
    wkd: fc.boolean(),
    revocationCheck: fc.oneof(fc.constant("always" as const), length),
    grace: fc.oneof(fc.constant(0), length),
    retiredIssuers: fc.constantFrom("refuse", "accept"),
    threshold: fc.integer({ min: 1, max: 9999 }),
    maxIndexAge: maybe(length),
    requireFeedName: fc.boolean(),
    requireExpiry: fc.boolean(),
  }),
  feeds: fc.uniqueArray(feed, { selector: ({ name }) => name, maxLength: 3 }),
});

describe("profile/write-profile", () => {
  it("writes what reads back as the same values", () =>
    fc.assert(
      fc.property(values, (given) => {
        expect(readBack(given)).to.deep.equal(given);
      }),
      { numRuns: 500 },
    ));

  it("lets no value become a line of its own, whatever it holds", () => {
    const any = fc.string({
      unit: fc.oneof(fc.constantFrom("\n", "\r", "[", "]", "=", '"', "a"), fc.string({ unit: "binary", maxLength: 1 })),
    });
    fc.assert(
      fc.property(any, any, any, (name, userId, feedName) => {
        const given: ProfileValues = {
          archive: { ...sample.archive, name, identity: { kind: "user-id", userId } },
          trust: sample.trust,
          feeds: sample.feeds.map((one) => ({ ...one, name: feedName })),
        };
        try {
          expect(readBack(given)).to.deep.equal(given);
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_profile");
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("writes what a person would", () => {
    const trust = {
      ...sample.trust,
      keyring: "../keyrings/p",
      keyservers: ["hkps://a", "hkps://b"],
      maxIndexAge: 7_200_000,
    };
    expect(formatProfile({ ...sample, trust })).to.equal(`[archive]
name = ProteanOS
url = https://files.example.org/proteanos/
user-id = ProteanOS Archive Signing Key <archive@example.org>
verify = required

[trust]
keyring = ../keyrings/p
seeds = ${"A".repeat(40)}
keyservers = hkps://a, hkps://b
wkd = no
revocation-check = always
grace = 14d
retired-issuers = refuse
threshold = 1
max-index-age = 2h
require-feed-name = no
require-expiry = no

[feed base]
format = opkg
path = feeds/base
packages = .
`);
  });

  const refused: readonly [string, Partial<ProfileValues>, string][] = [
    [
      "a user ID with a line break",
      { archive: { ...sample.archive, identity: { kind: "user-id", userId: "a\nmirrors = https://evil/" } } },
      "profile.ini:4: the value has a control character",
    ],
    ["an empty name", { archive: { ...sample.archive, name: "" } }, 'profile.ini:2: "name" has no value'],
    [
      "a mirror with a comma",
      { archive: { ...sample.archive, mirrors: ["https://a/,https://b/"] } },
      '"https://a/,https://b/" has a comma, which separates the values of a list in a profile',
    ],
    [
      "a path that leads out",
      { feeds: [{ name: "a", format: "opkg", path: "..", index: undefined, packages: "feed" }] },
      'profile.ini:21: "path" must be a path below the archive: ".." has a segment "." or ".."',
    ],
    [
      "a feed name that would be a section of its own",
      { feeds: [{ name: "a]\n[feed x", format: "opkg", path: "a", index: undefined, packages: "feed" }] },
      'profile.ini:1: "a]\n[feed x" can\'t be the name of a feed',
    ],
  ];
  for (const [what, changes, message] of refused) {
    it(`refuses ${what}`, () => {
      expect(refusal(() => formatProfile({ ...sample, ...changes }))).to.include({ code: "bad_profile", message });
    });
  }

  for (const grace of [1500, -1000, 1_000_001_000, Number.NaN]) {
    it(`has no notation for ${grace} ms`, () => {
      const said = refusal(() => formatProfile({ ...sample, trust: { ...sample.trust, grace } }));
      expect(said).to.include({ code: "internal", message: `a length of ${grace} ms cannot be written in a profile` });
    });
  }
});
