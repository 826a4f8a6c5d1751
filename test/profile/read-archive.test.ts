import { expect } from "chai";
import { readArchiveConfig } from "../../src/profile/read-archive.ts";
import { refusal } from "../testkit/refusal.ts";

const file = "/srv/config/archive.ini";
const fpr = "0123456789ABCDEF0123456789ABCDEF01234567";
const archive = [
  "[archive]",
  "root = /srv/archive",
  "user-id = ProteanOS Archive Signing Key <archive@example.org>",
  `key = ${fpr}`,
];
const feed = ["[feed base]", "format = opkg", "path = feeds/base"];

const read = (...lines: readonly string[]) => readArchiveConfig(lines.join("\n"), file);
/** The sample with one line replaced by its number; lines behind the end are added. */
const change = (number: number, ...lines: readonly string[]) =>
  read(...[...archive, ...feed].toSpliced(number - 1, 1, ...lines));

describe("profile/read-archive", () => {
  it("reads a file with every key", () => {
    const config = read(
      "[archive]",
      "root = ../archive   ; beside this folder",
      "user-id = ProteanOS Archive Signing Key <archive@example.org>",
      `key = gpg:${fpr.toLowerCase()}`,
      "valid-for = 30d",
      "keyservers = hkps://keys.example.org, hkps://pgp.example.net",
      "keyserver-ca = ca.pem",
      "page = yes",
      "[feed base]",
      "format = opkg",
      "path = feeds/dev/trunk/amd64/base",
      "packages = pool/base",
      "[feed all]",
      "format = pkgsrc",
      "path = .",
    );
    expect(config).to.deep.equal({
      file,
      root: "/srv/archive",
      userId: "ProteanOS Archive Signing Key <archive@example.org>",
      key: { where: "gpg", fingerprint: fpr },
      validFor: 30 * 86_400_000,
      keyservers: ["hkps://keys.example.org", "hkps://pgp.example.net"],
      keyserverCa: "/srv/config/ca.pem",
      page: true,
      feeds: [
        { name: "base", format: "opkg", path: "feeds/dev/trunk/amd64/base", packages: "pool/base", compress: ["gz"] },
        { name: "all", format: "pkgsrc", path: "", packages: "", compress: ["gz"] },
      ],
    });
  });

  it("has its defaults", () => {
    expect(read(...archive, ...feed)).to.deep.include({
      key: { where: "store", fingerprint: fpr },
      validFor: 14 * 86_400_000,
      keyservers: [],
      keyserverCa: undefined,
      page: false,
      feeds: [{ name: "base", format: "opkg", path: "feeds/base", packages: "feeds/base", compress: ["gz"] }],
    });
    expect(change(4, `key = ${fpr}`, "keyservers = none").keyservers).to.deep.equal([]);
  });

  it("takes a user ID without an address where the domain of notations is given", () => {
    const read = change(3, "user-id = Example Repo Signing Key", "notation-domain = example.org");
    expect(read).to.include({ userId: "Example Repo Signing Key", notationDomain: "example.org" });
  });

  it("allows feeds of one format in several folders", () => {
    expect(read(...archive, ...feed, "[feed other]", "format = opkg", "path = feeds/other").feeds).to.have.length(2);
  });

  it("allows two formats in one folder", () => {
    expect(read(...archive, ...feed, "[feed other]", "format = pkgsrc", "path = feeds/base").feeds).to.have.length(2);
  });

  it("allows a tree beside or below the file's folder whose name only begins alike", () => {
    expect(change(2, "root = tree").root).to.equal("/srv/config/tree");
    expect(change(2, "root = /srv/conf").root).to.equal("/srv/conf");
    expect(change(2, "root = archive.ini.d").root).to.equal("/srv/config/archive.ini.d");
  });

  const inside = (root: string) => `this file is inside "${root}", the folder that is published`;
  const refused: readonly [string, () => unknown, number, string, string?][] = [
    ["no archive", () => read(...feed), 1, "the file lacks a section [archive]"],
    ["no root", () => change(2), 1, 'section [archive] lacks "root"'],
    ["no user ID", () => change(3), 1, 'section [archive] lacks "user-id"'],
    ["no key", () => change(4), 1, 'section [archive] lacks "key"'],
    [
      "a root around the file",
      () => change(2, "root = /srv"),
      2,
      inside("/srv"),
      "move archive.ini out of that folder",
    ],
    ["the file's folder as root", () => change(2, "root = ."), 2, inside(".")],
    [
      "the file's folder, said in a roundabout way",
      () => change(2, "root = ../x/../config/"),
      2,
      inside("../x/../config/"),
    ],
    ["the whole machine as root", () => change(2, "root = /"), 2, inside("/")],
    [
      "a file inside whose name begins with dots",
      () => readArchiveConfig([...archive, ...feed].join("\n"), "/srv/archive/..ini"),
      2,
      inside("/srv/archive"),
    ],
    [
      "a user ID without an address",
      () => change(3, "user-id = Archive"),
      3,
      '"user-id" must end in one address in < and >, not "Archive"',
      "write NAME <address@example.org>; if the user ID of the keys has no address, also write notation-domain = example.org",
    ],
    [
      "a user ID with two addresses, notations or not",
      () => change(3, "user-id = A <a@b> <c@d>", "notation-domain = example.org"),
      3,
      '"user-id" must end in one address in < and >, not "A <a@b> <c@d>"',
    ],
    [
      "a domain that is an address",
      () => change(4, "notation-domain = a@example.org", `key = ${fpr}`),
      4,
      '"notation-domain" is not a domain: "a@example.org"',
      "write a domain such as example.org",
    ],
    [
      "a user ID with two addresses",
      () => change(3, "user-id = A <a@b> <c@d>"),
      3,
      '"user-id" must end in one address in < and >, not "A <a@b> <c@d>"',
    ],
    [
      "a key ID",
      () => change(4, "key = 0123456789ABCDEF"),
      4,
      '"0123456789ABCDEF" is a key ID: a full fingerprint is needed',
    ],
    [
      "a key ID in GnuPG",
      () => change(4, "key = gpg:01234567"),
      4,
      '"01234567" is a key ID: a full fingerprint is needed',
    ],
    [
      "a key elsewhere",
      () => change(4, `key = pkcs11:${fpr}`),
      4,
      `"pkcs11:${fpr}" is not a fingerprint of 40 or 64 hex digits`,
    ],
    [
      "signatures for no time",
      () => change(4, archive[3] ?? "", "valid-for = 0"),
      5,
      '"valid-for" must be more than 0',
    ],
    [
      "signatures for ever",
      () => change(4, archive[3] ?? "", "valid-for = never"),
      5,
      '"valid-for" must be a length of time, not "never"',
    ],
    ["empty key servers", () => change(4, archive[3] ?? "", "keyservers ="), 5, '"keyservers" has no value'],
    [
      "a key server without TLS",
      () => change(4, archive[3] ?? "", "keyservers = hkp://a"),
      5,
      '"hkp://a" is not an hkps:// URL of a key server',
      "key servers are asked over TLS only: write hkps://a",
    ],
    [
      "an unknown key",
      () => change(4, archive[3] ?? "", "valid = 3d"),
      5,
      'unknown key "valid" in section [archive]',
      'the nearest known key is "valid-for"',
    ],
    ["a section of the profile", () => read(...archive, ...feed, "[trust]"), 8, "there is no section [trust]"],
    ["a feed without format", () => change(6), 5, 'section [feed base] lacks "format"'],
    ["a feed without path", () => change(7), 5, 'section [feed base] lacks "path"'],
    [
      "a feed outside the tree",
      () => change(7, "path = ../x"),
      7,
      '"path" must be a path below the archive: "../x" has a segment "." or ".."',
    ],
    [
      "an absolute path for packages",
      () => change(7, "path = a", "packages = /pool"),
      8,
      '"packages" must be a path below the archive: "/pool" is absolute',
    ],
    [
      "packages in a place that has two meanings",
      () => change(7, "path = a", "packages = ."),
      8,
      '"packages" is "."',
      'leave "packages" out if the packages are in the feed\'s own folder',
    ],
    [
      "compressed forms of an opkg index",
      () => change(7, "path = a", "compress = xz"),
      8,
      '"compress" is only for format = pkgsrc',
      "opkg reads Packages.gz and no other form",
    ],
    [
      "a form that can't be written",
      () => change(6, "format = pkgsrc", "compress = xz, bz2"),
      7,
      '"bz2" is not a form in which summaries are written',
      "feedkey reads bzip2 but does not write it: choose gz, xz or zst",
    ],
    [
      "a form that appears twice",
      () => change(6, "format = pkgsrc", "compress = zst, xz, zst"),
      7,
      'form "zst" appears twice',
    ],
    [
      "packages of an index that another program writes",
      () => change(6, "format = sums", "packages = pool"),
      7,
      '"packages" is only for feeds whose index feedkey writes',
      'leave "packages" out: feedkey signs the index of sums that another program wrote',
    ],
    [
      "the name of an index that feedkey writes",
      () => change(7, "path = a", "index = Packages"),
      8,
      '"index" is only for feeds whose index another program writes',
      'leave "index" out: feedkey writes the index with the usual name of the format',
    ],
    [
      "an index that clients of the format do not ask for",
      () => change(6, "format = apt", "index = Packages"),
      7,
      'no client of apt asks for an index "Packages"',
      'leave "index" out: then the index has its usual name',
    ],
    [
      "an index in another folder",
      () => change(6, "format = sums", "index = ../SHA256SUMS"),
      7,
      '"index" must be the plain name of a file, not "../SHA256SUMS"',
    ],
    [
      "two feeds in one folder",
      () => read(...archive, ...feed, "[feed other]", "format = opkg", "path = feeds/base"),
      10,
      'feed "other" would overwrite the index of feed "base"',
    ],
  ];
  it("knows the forms of a summary, gz in any case", () => {
    const forms = (line: string) => {
      const [found] = read(...archive, "[feed all]", "format = pkgsrc", "path = .", line).feeds;
      return found?.packages === undefined ? undefined : found.compress;
    };
    expect(forms("compress = zst, xz")).to.deep.equal(["gz", "xz", "zst"]);
    expect(forms("compress = gz")).to.deep.equal(["gz"]);
  });

  for (const [what, action, line, problem, hint] of refused) {
    it(`refuses ${what}`, () => {
      const said = refusal(action);
      expect(said).to.include({ code: "bad_config", line });
      expect(said.message.replace(/^[^:]*:/, "")).to.equal(`${line}: ${problem}`);
      if (hint !== undefined) expect(said.hint).to.equal(hint);
    });
  }

  describe("a suite of apt's", () => {
    const suite = (...lines: readonly string[]) =>
      read(...archive, "[feed stable]", "format = apt", ...lines).feeds[0]?.suite;
    const least = ["path = debian/dists/stable", "packages = debian/pool", "components = main contrib"];
    const whole = [...least, "architectures = amd64, arm64"];
    const divided = { components: ["main", "contrib"], architectures: ["amd64", "arm64"], signedBy: false };

    it("has its parts and names", () => {
      expect(suite(...whole)).to.deep.equal({ suite: "stable", ...divided });
      const names = ["origin = An Example", "label = x", "suite = old", "codename = stable", "description = y z"];
      expect(suite(...whole, ...names, "signed-by = yes")).to.deep.equal({
        ...{ ...divided, origin: "An Example", label: "x", suite: "old", codename: "stable", description: "y z" },
        signedBy: true,
      });
      // Another program writes it.
      expect(suite("path = dists/stable")).to.equal(undefined);
    });

    for (const [what, lines, message] of [
      ["no components", whole.toSpliced(2, 1), 'lacks "components"'],
      ["no architectures", least, 'lacks "architectures"'],
      ["another path", ["path = stable", ...whole.slice(1)], "must be the path of a suite"],
      ["packages outside", whole.toSpliced(1, 1, "packages = pool"), "outside of the repository"],
      ["another name", [...whole, "suite = x", "codename = y"], 'neither "suite" nor "codename"'],
      ["all as an architecture", [...least, "architectures = amd64 all"], '"all" can\'t be one of the architectures'],
      ["a component with a slash", whole.toSpliced(2, 1, "components = x/main"), "can't be one of the components"],
      [
        "its keys without packages",
        ["path = dists/stable", "origin = x"],
        '"origin" is only for suites that feedkey writes',
      ],
    ] as const) {
      it(`is refused with ${what}`, () => {
        expect(refusal(() => suite(...lines))).to.include({ code: "bad_config" });
        expect(refusal(() => suite(...lines)).message).to.contain(message);
      });
    }

    it("has keys that are nothing to other formats", () => {
      expect(refusal(() => read(...archive, ...feed, "components = main")).message).to.contain("that feedkey writes");
    });
  });

  it("reads a root in an object store, with the folder that is uploaded", () => {
    const bucket = (...lines: readonly string[]) =>
      change(2, "root = s3://my-feeds/a/b/", "root-local = ../site", ...lines);
    const { root, bucket: place } = bucket("s3-endpoint = https://s3.example.org:9000/", "s3-region = eu-central-1");
    expect({ root, ...place }).to.deep.equal({
      ...{ root: "/srv/site", bucket: "my-feeds", prefix: "a/b/" },
      ...{ endpoint: "https://s3.example.org:9000", region: "eu-central-1" },
    });
    expect(change(2, "root = s3://my-feeds", "root-local = /site").bucket?.prefix).to.equal("");
    const message = (action: () => unknown) => refusal(action).message;
    expect(message(() => change(2, "root = s3://my-feeds"))).to.contain('lacks "root-local"');
    expect(message(() => change(2, "root = /srv/archive", "root-local = /site"))).to.contain(
      '"root-local" can be used only if',
    );
    for (const root of ["s3://", "s3:my-feeds", "s3://My_Feeds/a", "s3://my-feeds/a/../b"]) {
      expect(
        message(() => change(2, `root = ${root}`, "root-local = /site")),
        root,
      ).to.contain(":2: ");
    }
    for (const line of [
      "s3-endpoint = s3.example.org",
      "s3-endpoint = https://me:secret@s3.example.org",
      "s3-region = a b",
    ]) {
      expect(
        message(() => bucket(line)),
        line,
      )
        .to.contain(":4: ")
        .and.not.contain("secret");
    }
    // The file has paths and the key's fingerprint: it must not be uploaded either.
    expect(message(() => change(2, "root = s3://my-feeds", "root-local = /srv"))).to.contain("inside");
  });
});
