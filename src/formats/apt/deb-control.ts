/** Control data of a .deb, in the form of apt's lists of packages. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { asBuffer } from "../line-cursor.ts";
import { type OwnWords, ownWords } from "../opkg/package-stanza.ts";

/**
 * The names that dpkg-deb accepts. dpkg itself also accepts upper case, but installs the package under the lower-case name,
 * which no list contains.
 */
const packageName = /^[a-z0-9][a-z0-9+.-]*$/;
/** After an epoch, more colons are allowed; a revision has no colon and is not empty. */
const version = /^(?!.*-[^-]*:)(?:\d{1,9}:\d[A-Za-z0-9.+~:-]*|\d[A-Za-z0-9.+~-]*)(?<!-)$/;
/** Fields that belong only into dpkg's own database. */
const state = /^(status|config-version):(.*)$/im;

/**
 * Reads the control data. Refuses what dpkg-deb would not build, because dpkg usually does not install it.
 * @throws FeedkeyError `bad_package`
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
  return new FeedkeyError("bad_package", `${what}, and dpkg-deb builds no such package`, {
    details: { field },
    hint: "correct the control file of the package, and build the package again with dpkg-deb: dpkg refuses to install most such packages",
  });
}
