/** Stanzas of pkg_summary for tests, with every required variable. */

export const sha256 = "0123456789abcdef".repeat(4);

/** What a test says about a stanza: undefined leaves a variable out, several values repeat it. */
export type Said = Readonly<Record<string, string | readonly string[] | undefined>>;

const usual: Said = {
  PKGNAME: "tiny-1.0",
  COMMENT: "Package that holds nothing",
  SIZE_PKG: "1234",
  BUILD_DATE: "2026-01-01 00:00:00 +0000",
  CATEGORIES: "misc",
  MACHINE_ARCH: "x86_64",
  OPSYS: "NetBSD",
  OS_VERSION: "10.0",
  PKGPATH: "misc/tiny",
  PKGTOOLS_VERSION: "20091115",
  DESCRIPTION: ["Tiny holds nothing.", "", "It is here to be read."],
};

/** A stanza that is right, but for what the test says. It ends in an empty line. */
export function summaryStanza(said: Said = {}): string {
  const lines = Object.entries({ ...usual, ...said }).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [value].flat().map((one) => `${name}=${one}\n`);
  });
  return `${lines.join("")}\n`;
}
