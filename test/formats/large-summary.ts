/** Run as a program of its own: reads a pkg_summary of 25,000 stanzas in 40 MB and tells what memory that took. */
import { readSummaryPackages } from "../../src/formats/pkgsrc/summary-text.ts";
import { sha256, summaryStanza } from "../testkit/packages/summary-text.ts";
import { peakMemory } from "../testkit/programs/peak-memory.ts";

const count = 25_000;
const text = Buffer.alloc(40 << 20);
let length = 0;
for (let number = 0; number < count; number++) {
  const FILE_CKSUM = `sha256 ${number.toString(16).padStart(8, "0")}${sha256.slice(8)}`;
  const stanza = summaryStanza({
    PKGNAME: `py311-package${number}-1.${number % 90}nb${number % 7}`,
    DEPENDS: Array.from({ length: 8 }, (_, index) => `dependency${(number * 7 + index) % count}>=1.${index}`),
    REQUIRES: Array.from({ length: 10 }, (_, index) => `/usr/pkg/lib/lib${(number + index) % 900}.so.${index}`),
    DESCRIPTION: Array.from({ length: 10 }, (_, index) => `Line ${index} of what package ${number} is about and for.`),
    FILE_SIZE: String(1000 + number),
    FILE_CKSUM,
  });
  length += text.write(stanza, length, "latin1");
}
const index = readSummaryPackages(text.subarray(0, length));
const [last] = index.find(`py311-package${count - 1}`);
process.stdout.write(JSON.stringify({ count: index.count, length, last: last?.size, peak: peakMemory() }));
