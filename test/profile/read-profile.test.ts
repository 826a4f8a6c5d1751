import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { formatProfile } from "../../src/profile/write-profile.ts";
import { file, fprA, fprB, profileText, read } from "./sample-profile.ts";

describe("profile/read-profile", () => {
  it("reads a profile with every key", () => {
    const text = `
[archive]
name = ProteanOS
url = https://files.example.org/proteanos      ; comment
mirrors = http://mirror.example.net/p/, file:///srv/p
ca = archive-ca.pem
user-id = ProteanOS Archive Signing Key <archive@example.org>
verify = off
[trust]
keyring = ../keyrings/proteanos
seeds = ${fprA}, ${fprB}
keyservers = hkps://keys.example.org, HKPS://Pgp.Example.net:11372/
keyserver-ca = ca.pem
wkd = yes
revocation-check = 6h
grace = 0
retired-issuers = accept
threshold = 2
max-index-age = 30d
require-feed-name = yes
require-expiry = yes
[variables]
suite = dev/trunk
arch = amd64
[feed base]
format = opkg
path = feeds/\${suite}/\${arch}/base
index = Packages.gz
packages = /
[feed pkgsrc-2026Q1]
format = pkgsrc
path = .
packages = .
`;
    expect(readProfile(text, file)).to.deep.equal({
      name: "proteanos",
      file,
      archive: {
        name: "ProteanOS",
        url: "https://files.example.org/proteanos/",
        mirrors: ["http://mirror.example.net/p/", "file:///srv/p/"],
        ca: "/etc/feedkey/profiles/archive-ca.pem",
        redirects: "any",
        identity: { kind: "user-id", userId: "ProteanOS Archive Signing Key <archive@example.org>" },
        verify: "off",
      },
      trust: {
        keyring: "/etc/feedkey/keyrings/proteanos",
        seeds: [fprA, fprB.toUpperCase()],
        keyservers: ["hkps://keys.example.org", "hkps://pgp.example.net:11372"],
        keyserverCa: "/etc/feedkey/profiles/ca.pem",
        wkd: true,
        revocationCheck: 6 * 3_600_000,
        grace: 0,
        retiredIssuers: "accept",
        threshold: 2,
        maxIndexAge: 30 * 86_400_000,
        requireFeedName: true,
        requireExpiry: true,
      },
      feeds: [
        { name: "base", format: "opkg", path: "feeds/dev/trunk/amd64/base", index: "Packages.gz", packages: "archive" },
        { name: "pkgsrc-2026Q1", format: "pkgsrc", path: "", index: undefined, packages: "feed" },
      ],
      variables: { suite: "dev/trunk", arch: "amd64" },
    });
  });

  it("names a file of credentials, relative to itself, and takes none from a URL", () => {
    const { archive, trust, feeds } = read({ archive: { credentials: "auth.conf" } });
    expect(archive.credentials).to.equal("/etc/feedkey/profiles/auth.conf");
    expect(readProfile(formatProfile({ archive, trust, feeds }), file).archive).to.deep.equal(archive);
    const refused = expect(() => read({ archive: { url: "https://me:s3cret@a.example/" } })).to.throw(FeedkeyError);
    refused.with.property("hint").that.contains("credentials");
    refused.with.property("message").that.does.not.contain("s3cret");
  });

  it("has careful defaults", () => {
    const { archive: said, trust: rules, feeds } = read();
    expect(said).to.deep.include({ mirrors: [], verify: "required" });
    expect(rules).to.deep.equal({
      keyring: "/etc/feedkey/keyrings/proteanos",
      seeds: [fprA],
      keyservers: [],
      keyserverCa: undefined,
      wkd: false,
      revocationCheck: "always",
      grace: 14 * 86_400_000,
      retiredIssuers: "refuse",
      threshold: 1,
      maxIndexAge: undefined,
      requireFeedName: false,
      requireExpiry: false,
    });
    expect(feeds).to.deep.equal([
      { name: "base", format: "opkg", path: "feeds/base", index: undefined, packages: "feed" },
    ]);
  });

  it("reads the address alone as identity", () => {
    expect(
      read({ archive: { "user-id": undefined, "user-email": "ftpmaster@debian.org" } }).archive.identity,
    ).to.deep.equal({
      kind: "user-email",
      email: "ftpmaster@debian.org",
    });
  });

  it("allows no seeds and no feeds: some profiles only follow keys, others are not finished", () => {
    expect(read({ trust: { seeds: "" } }).trust.seeds).to.deep.equal([]);
    expect(read({ trust: { seeds: undefined } }).trust.seeds).to.deep.equal([]);
    expect(readProfile(profileText().replace(/\[feed .*/s, ""), file).feeds).to.deep.equal([]);
  });

  it("reads fingerprints as gpg prints them", () => {
    const printed = "0123 4567 89AB CDEF 0123  4567 89ab cdef 0123 4567";
    expect(read({ trust: { seeds: printed } }).trust.seeds).to.deep.equal(["0123456789ABCDEF0123456789ABCDEF01234567"]);
  });

  it("keeps an absolute keyring and fills variables into URLs", () => {
    const profile = read({
      archive: { url: `https://\${host}/a`, mirrors: `http://\${host}/b` },
      trust: { keyring: "/usr/share/keyrings/p.pgp" },
      variables: { host: "x.example" },
    });
    expect(profile.trust.keyring).to.equal("/usr/share/keyrings/p.pgp");
    expect(profile.archive).to.deep.include({ url: "https://x.example/a/", mirrors: ["http://x.example/b/"] });
  });

  for (const [url, expected] of [
    ["HTTPS://Example.ORG", "https://example.org/"],
    ["http://127.0.0.1:8080/x", "http://127.0.0.1:8080/x/"],
    ["http://[::1]:80/x/", "http://[::1]/x/"],
    ["file:///srv/my archive".replace(" ", "%20"), "file:///srv/my%20archive/"],
  ] as const) {
    it(`normalises ${url}`, () => expect(read({ archive: { url } }).archive.url).to.equal(expected));
  }
});
