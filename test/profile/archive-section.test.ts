import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { readProfile } from "../../src/profile/read-profile.ts";
import { refusal } from "../testkit/refusal.ts";
import { file, itRefuses, profileText, read } from "./sample-profile.ts";

const noUrl = "is not the URL of an archive";

describe("profile/read-profile refuses in [archive]", () => {
  itRefuses([
    ["no URL", { archive: { url: undefined } }, 1, 'section [archive] lacks "url"'],
    ["no name", { archive: { name: undefined } }, 1, 'section [archive] lacks "name"'],
    ["an empty name", { archive: { name: "" } }, 2, '"name" has no value'],
    [
      "an ftp URL",
      { archive: { url: "ftp://x/" } },
      3,
      `"ftp://x/" ${noUrl}`,
      "write https://host/path/, http://host/path/ or file:///path/",
    ],
    ["a URL without slashes", { archive: { url: "https:x.org" } }, 3, `"https:x.org" ${noUrl}`],
    ["a URL without a host", { archive: { url: "https:///x" } }, 3, `"https:///x" ${noUrl}`],
    ["a URL with a backslash", { archive: { url: "https://x\\y" } }, 3, `"https://x\\y" ${noUrl}`],
    ["a URL with a space", { archive: { url: "https://x/a b" } }, 3, `"https://x/a b" ${noUrl}`],
    ["a URL with a bad port", { archive: { url: "https://x:99999/" } }, 3, `"https://x:99999/" ${noUrl}`],
    ["a file URL with a host", { archive: { url: "file://x/y" } }, 3, `"file://x/y" ${noUrl}`],
    [
      "a URL with a password",
      { archive: { url: "https://me:pw@x/" } },
      3,
      "a URL with a user name or password is refused",
    ],
    [
      "a URL with empty credentials",
      { archive: { url: "https://@x/" } },
      3,
      "a URL with a user name or password is refused",
    ],
    ["a URL with a query", { archive: { url: "https://x/?" } }, 3, 'URL "https://x/?" has a query or a fragment'],
    ["a URL with a fragment", { archive: { url: "https://x/#a" } }, 3, 'URL "https://x/#a" has a query or a fragment'],
    ["a bad mirror", { archive: { mirrors: "https://y/, x" } }, 5, `"x" ${noUrl}`],
    ["an empty mirror", { archive: { mirrors: "https://y/,," } }, 5, '"mirrors" has an empty value in its list'],
    ["a mirror twice", { archive: { mirrors: "https://y, https://Y/" } }, 5, "mirror https://y/ appears twice"],
    [
      "the archive as its mirror",
      { archive: { mirrors: "https://files.example.org/proteanos" } },
      5,
      "mirror https://files.example.org/proteanos/ appears twice",
    ],
    [
      "no identity",
      { archive: { "user-id": undefined } },
      1,
      'section [archive] lacks "user-id"',
      'write the user ID of the archive\'s keys as "user-id", or only their address as "user-email" if the name changes',
    ],
    [
      "two identities",
      { archive: { "user-email": "a@b" } },
      5,
      'section [archive] has both "user-id" and "user-email"',
      "keep only the line that stays true for all future keys",
    ],
    ["an empty user ID", { archive: { "user-id": "" } }, 4, '"user-id" has no value'],
    [
      "an address in brackets",
      { archive: { "user-id": undefined, "user-email": "<a@b>" } },
      4,
      '"user-email" must be one bare address, not "<a@b>"',
      "leave out the < and >",
    ],
    [
      "two addresses",
      { archive: { "user-id": undefined, "user-email": "a@b, c@d" } },
      4,
      '"user-email" must be one bare address, not "a@b, c@d"',
    ],
    ["an unknown verify", { archive: { verify: "on" } }, 5, '"verify" must be required or off, not "on"'],
    [
      "an unknown key",
      { archive: { mirror: "x" } },
      5,
      'unknown key "mirror" in section [archive]',
      'the nearest known key is "mirrors"',
    ],
    [
      "a key in other case",
      { archive: { Verify: "off" } },
      5,
      'unknown key "Verify" in section [archive]',
      'the nearest known key is "verify"',
    ],
  ]);

  for (const section of ["archive", "trust"]) {
    it(`refuses a profile without [${section}]`, () => {
      const text = profileText().replace(new RegExp(`\\[${section}\\][^[]*`), "");
      expect(refusal(() => readProfile(text, file))).to.include({
        code: "bad_profile",
        line: 1,
        message: `${file}:1: the file lacks a section [${section}]`,
      });
    });
  }

  for (const url of ["https://me:secret@x/", "ftp://me:secret@x/", "https://me:secret@x/a b", "http://me:secret@x?"]) {
    it(`does not repeat the password of ${url}`, () => {
      for (const said of [
        refusal(() => read({ archive: { url } })),
        refusal(() => read({ archive: { mirrors: url } })),
        refusal(() => read({ trust: { keyservers: url } })),
      ]) {
        expect(said.message).to.match(/:\d+: a URL with a user name or password is refused$/);
        expect(said.hint ?? "").not.to.include("secret");
      }
    });
  }

  it("names the file in its details, too", () => {
    expect(() => readProfile("x", file))
      .to.throw(FeedkeyError)
      .with.property("details")
      .that.deep.equals({ file, line: 1 });
  });
});
