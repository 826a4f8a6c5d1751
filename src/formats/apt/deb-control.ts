/** Reads the control data of a .deb, and converts it into the form of apt's package lists. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { asBuffer } from "../line-cursor.ts";
import { type OwnWords, ownWords } from "../opkg/package-stanza.ts";

/**
 * Matches the package names that dpkg-deb accepts. dpkg also accepts upper case, but then installs the package under the
 * lower-case name, which no list contains.
 */
const packageName = /^[a-z0-9][a-z0-9+.-]*$/;
/** Matches a valid version. A version with an epoch may contain more colons. A revision has no colon and is not empty. */
const version = /^(?!.*-[^-]*:)(?:\d{1,9}:\d[A-Za-z0-9.+~:-]*|\d[A-Za-z0-9.+~-]*)(?<!-)$/;
/** Matches the fields that belong only in dpkg's own database. */
const state = /^(status|config-version):(.*)$/im;

/**
 * Reads the control data. Refuses a package that dpkg-deb would not build, because dpkg usually does not install such a package.
 * @throws FeedkeyError `bad_package`: when dpkg-deb would not build the package
 */
export function debWords(control: Uint8Array): OwnWords {
  const words = ownWords(control);
  if (!packageName.test(words.name)) throw bad("Package", words.name);
  if (!version.test(words.version)) throw bad("Version", words.version);
  const [, field, value = ""] = state.exec(asBuffer(words.own).toString("latin1")) ?? [];
  if (field !== undefined) throw bad(field, value.trim());
  return words;
}

function bad(field: string, value: string): FeedkeyError {
  const what = escapeText(`field "${field}" is "${value}"`);
  return new FeedkeyError("bad_package", `${what}, but dpkg-deb never builds such a package`, {
    details: { field },
    hint: "correct the control file of the package, and build the package again with dpkg-deb: dpkg refuses to install most such packages",
  });
}
