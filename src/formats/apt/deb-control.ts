/** Control data of a .deb, as a list of apt's repositories has it. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { asBuffer } from "../line-cursor.ts";
import { type OwnWords, ownWords } from "../opkg/package-stanza.ts";

/** As dpkg-deb builds it. dpkg itself takes upper case too, and installs it in lower case, as a package that no list has. */
const packageName = /^[a-z0-9][a-z0-9+.-]*$/;
/** With an epoch further colons may follow; a revision has none, and is not empty. */
const version = /^(?!.*-[^-]*:)(?:\d{1,9}:\d[A-Za-z0-9.+~:-]*|\d[A-Za-z0-9.+~-]*)(?<!-)$/;
/** Of dpkg's own database. */
const state = /^(status|config-version):(.*)$/im;

/**
 * Reads the control data. What dpkg-deb would not build, and dpkg mostly not install, is not listed.
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
    hint: "correct its control file and build it again with dpkg-deb: dpkg refuses to install most such packages",
  });
}
