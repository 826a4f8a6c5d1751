// The index that is made of what was scanned, of more packages than fit into one piece of it.
import { createHash } from "node:crypto";
import { expect } from "chai";
import { Spools } from "../../src/files/spool.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import type { WrittenFeed } from "../../src/profile/types.ts";
import { makeIndex } from "../../src/publish/index-text/make-index.ts";
import { batchOf } from "../../src/publish/scan/scan-batch.ts";
import { ScanTable } from "../../src/publish/scan/scan-table.ts";
import { FoundPackages } from "../../src/publish/scan/scan-walk.ts";
import { refusalOf } from "../testkit/refusal.ts";

const feed = { name: "base", format: "opkg", path: "", packages: "" } as WrittenFeed;

interface Row {
  readonly name: string;
  readonly version?: string;
  readonly more?: string;
}

const hash = (algorithm: string, row: Row) => createHash(algorithm).update(JSON.stringify(row)).digest("hex");
const ownOf = ({ name, version = "1.0", more = "" }: Row) =>
  `Package: ${name}\nVersion: ${version}\nArchitecture: all\n${more}`;

function tableOf(rows: readonly Row[], spools: Spools): ScanTable {
  const paths = rows.map((_, row) => `pool/${row}.ipk`);
  const identities = Float64Array.from(rows.flatMap((_, row) => [row + 1, 1, 1, row]));
  const table = new ScanTable(new FoundPackages("/nowhere", paths, identities, new Map()), spools.make());
  for (const [row, one] of rows.entries()) {
    const { name, version = "1.0" } = one;
    const digests = { sha256: hash("sha256", one), md5: hash("md5", one) };
    const own = Buffer.from(ownOf(one));
    const scanned = { path: paths[row] ?? "", size: row + 1, ...digests, name, version, architecture: "all", own };
    table.add(batchOf([row], [scanned]));
  }
  return table;
}

describe("the index of scanned packages", () => {
  let spools: Spools;
  beforeEach(() => {
    spools = new Spools();
  });
  afterEach(() => spools.close());

  it("lists each package once, in order, and reads as clients read it", () => {
    const rows = Array.from({ length: 4000 }, (_, row): Row => {
      const name = `package${(row * 7919) % 4000}`;
      return { name, version: `${row}.0`, more: `Description: ${"words ".repeat(row % 200)}end\n` };
    });
    const { texts, packages, bad } = makeIndex(feed, tableOf(rows, spools), spools);
    expect({ packages, bad }).to.deep.equal({ packages: 4000, bad: [] });
    const stanza = (one: Row) => {
      const row = rows.indexOf(one);
      const digests = `MD5Sum: ${hash("md5", one)}\nSHA256sum: ${hash("sha256", one)}\n`;
      return `${ownOf(one)}Filename: pool/${row}.ipk\nSize: ${row + 1}\n${digests}\n`;
    };
    const expected = rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(stanza);
    const text = texts.get("Packages");
    expect(text?.length).to.be.above(2 << 20);
    expect(Buffer.from(text?.bytes ?? []).toString() === expected.join("")).to.equal(true);
    expect(text?.sha256).to.equal(createHash("sha256").update(expected.join("")).digest("hex"));
    expect(readPackages(text?.bytes ?? new Uint8Array()).count).to.equal(4000);
  });

  it("is refused with two packages of one name, version and architecture, wherever they lie", async () => {
    const error = await refusalOf(async () =>
      makeIndex(feed, tableOf([{ name: "a" }, { name: "b" }, { name: "a", more: "Section: net\n" }], spools), spools),
    );
    expect(error.code).to.equal("bad_package");
    expect(error.details.paths).to.deep.equal(["pool/0.ipk", "pool/2.ipk"]);
  });

  it("is refused where no client could read it, with the line, however far down, and field names counted through", async () => {
    const fill = Array.from({ length: 1500 }, (_, row) => ({
      name: `a${row}`,
      more: `Description: ${"x".repeat(300)}\n`,
    }));
    const broken = [...fill, { name: "z", more: "No colon here\n" }];
    const error = await refusalOf(async () => makeIndex(feed, tableOf(broken, spools), spools));
    expect(error.code).to.equal("bad_index");
    expect(error.message)
      .to.contain("clients would refuse the list Packages")
      .and.to.contain(`line ${1500 * 9 + 4} `);
    const named = fill.map((one, row) => ({ ...one, more: `X-Field-${row}: y\n${one.more}` }));
    const many = await refusalOf(async () => makeIndex(feed, tableOf(named, spools), spools));
    expect(many.message).to.contain("different field names");
    const few = named.slice(0, 900);
    expect(makeIndex(feed, tableOf(few, spools), spools).packages).to.equal(900);
  });
});
