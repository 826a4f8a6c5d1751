/** Sorts the sections that profiles and `archive.ini` have in common. */
import type { ErrorAt } from "./config-error.ts";
import type { IniSection } from "./ini.ts";
import { nearestHint, Section } from "./section.ts";
import { readFeedName } from "./values.ts";

interface Sections {
  /** Returns the section with this name; undefined if the file has no such section. */
  get(name: string): IniSection | undefined;
  /** The sections `[feed NAME]` in their order. */
  readonly feeds: readonly { readonly name: string; readonly section: Section }[];
}

/**
 * Sorts the sections by their names.
 * @throws what `errorAt` makes, for a section that is neither one of `names` nor a feed, and for an unknown key in a feed's
 *   section
 */
export function sortSections(
  sections: readonly IniSection[],
  names: readonly string[],
  feedKeys: readonly string[],
  errorAt: ErrorAt,
): Sections {
  const feeds: { name: string; section: Section }[] = [];
  for (const section of sections) {
    const [, feed] = /^feed (.*)$/s.exec(section.name) ?? [];
    if (feed !== undefined) {
      const name = readFeedName(feed, section.line, errorAt);
      feeds.push({ name, section: new Section(section, feedKeys, errorAt) });
    } else if (!names.includes(section.name)) {
      const hint = nearestHint("section", section.name, [...names, "feed NAME"]);
      throw errorAt(section.line, `there is no section [${section.name}]`, hint);
    }
  }
  return { get: (name) => sections.find((section) => section.name === name), feeds };
}

/**
 * Returns a section that the file must have.
 * @throws what `errorAt` makes, if the section is missing or has an unknown key
 */
export function needSection(sections: Sections, name: string, keys: readonly string[], errorAt: ErrorAt): Section {
  const section = sections.get(name);
  if (section === undefined) throw errorAt(1, `the file lacks a section [${name}]`);
  return new Section(section, keys, errorAt);
}
