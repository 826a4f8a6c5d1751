/** apt's repositories of packages: `dists/SUITE/InRelease`, or `Release` with `Release.gpg`, and a `Packages` for each component. */
import { maxFramedBytes, unframe } from "../cleartext.ts";
import type { Format } from "../format.ts";
import { readPackages } from "../opkg/packages-text.ts";
import { relations } from "../opkg/relations.ts";
import { compareVersions } from "../opkg/version.ts";
import { readRelease } from "./release.ts";
import { contentOf, everythingIn } from "./suite.ts";

const inline = /InRelease$/;

/** reprepro first has `Release.new` signed, and then renames all three files. */
const written = /^Release(\.new)?$/;

export const apt: Format = {
  index: "Release",
  forms: [],
  published: "Release",
  roots: ({ suite = "" }) => [`dists/${suite}/InRelease`, `dists/${suite}/Release`],
  feedAt(folder) {
    const [, path = "", suite] = /^(?:(.*)\/)?dists\/(.+)$/.exec(folder) ?? [undefined, folder];
    return { path, components: [], architectures: [], ...(suite === undefined ? {} : { suite }) };
  },
  signaturesOf: (root) => (inline.test(root) ? [] : [`${root}.gpg`]),
  unframe: (file, name) => (inline.test(name) ? unframe(file, name) : undefined),
  maxRoot: maxFramedBytes,
  ignoresBlankEnds: true,
  signs: "text",
  divided: "suites",
  signing: {
    isRoot: (name) => written.test(name),
    // Clients request InRelease first. So feedkey writes InRelease last, when every listed file exists.
    files: (name) => [
      { name: name.replace("Release", "Release.gpg"), holds: "armored" },
      { name: name.replace("Release", "InRelease"), holds: "framed" },
    ],
    several: "any",
    validity(text) {
      const { date, validUntil } = readRelease(text);
      return validUntil === undefined ? undefined : { since: date, until: validUntil };
    },
  },
  content: (signed, wanted) => contentOf(readRelease(signed), wanted),
  everything: (root) => everythingIn(readRelease(root)),
  packageName: /\.deb$/,
  needs: "a keyring file with both keys by their next update",
  compareVersions,
  relations,
  read: readPackages,
};
