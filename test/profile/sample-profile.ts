/** A profile for tests to change. */
import { expect } from "chai";
import { readProfile } from "../../src/profile/read-profile.ts";
import type { Profile } from "../../src/profile/types.ts";
import { refusal } from "../testkit/refusal.ts";

export const file = "/etc/feedkey/profiles/proteanos.ini";
export const fprA = "A".repeat(40);
export const fprB = "0123456789abcdef".repeat(4);

const archive: Readonly<Record<string, string>> = {
  name: "ProteanOS",
  url: "https://files.example.org/proteanos/",
  "user-id": "ProteanOS Archive Signing Key <archive@example.org>",
};
const trust: Readonly<Record<string, string>> = { keyring: "../keyrings/proteanos", seeds: fprA, keyservers: "none" };
export const feed: Readonly<Record<string, string>> = { format: "opkg", path: "feeds/base" };

type Keys = Readonly<Record<string, string>>;

/** Keys to add or change by section; an `undefined` one is left out. */
export type Changes = Readonly<Record<string, Readonly<Record<string, string | undefined>>>>;

/** Its text: `[archive]` is line 1, the keys come in their order, added ones last. */
export function profileText(changes: Changes = {}): string {
  const sections: Readonly<Record<string, Keys>> = { archive, trust, "feed base": feed };
  return [...new Set([...Object.keys(sections), ...Object.keys(changes)])]
    .map((name) => {
      const keys = Object.entries({ ...sections[name], ...changes[name] });
      return `[${name}]\n${keys.map(([key, text]) => (text === undefined ? "" : `${key} = ${text}\n`)).join("")}`;
    })
    .join("");
}

/** Reads the profile with some keys changed. */
export function read(changes: Changes = {}): Profile {
  return readProfile(profileText(changes), file);
}

/** What is changed, what of it, and the refusal's line, its problem and, where it matters, its hint. */
export type Refused = readonly [what: string, changes: Changes, line: number, problem: string, hint?: string];

/** A test for each refused change. */
export function itRefuses(cases: readonly Refused[]): void {
  for (const [what, changes, line, problem, hint] of cases) {
    it(what, () => {
      const said = refusal(() => read(changes));
      expect(said).to.include({ code: "bad_profile", line, message: `${file}:${line}: ${problem}` });
      if (hint !== undefined) expect(said.hint).to.equal(hint);
    });
  }
}
