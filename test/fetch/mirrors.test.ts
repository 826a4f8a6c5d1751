/** Several mirrors of one archive: the next one is asked where one is wrong, broken or gone, and the run says so. */
import { expect } from "chai";
import { openClient } from "../../src/index.ts";
import { hour, inUse, packageOf, published, type TestArchive } from "../testkit/archives/opkg-archive.ts";
import { Mirror } from "../testkit/servers/mirror.ts";
import { type Behaviour, plain, raw } from "../testkit/servers/misbehaving-server.ts";

const [alpha, beta] = ["feeds/base/alpha_1.0-1_all.ipk", "feeds/base/beta_2.0-1_all.ipk"];

/** Fetches both packages, one after the other, with a broken mirror before the good one. */
async function fetchBoth(archive: TestArchive, broken: Mirror) {
  await archive.writeProfile({ url: broken.url, mirrors: [archive.mirror.url] });
  const [warnings, notes]: [string[], string[]] = [[], []];
  const reporter = { warn: (text: string) => warnings.push(text), note: (text: string) => notes.push(text) };
  const { profile, state: stateFolder, out: folder } = archive;
  await using client = await openClient({ profile, stateFolder, at: published + 2 * hour, reporter });
  const { packages } = await client.fetchAll(["alpha", "beta"], { folder });
  expect(packages).to.have.length(2);
  await archive.expectOut("alpha_1.0-1_all.ipk", "beta_2.0-1_all.ipk");
  return { warnings, notes };
}

describe("several mirrors", () => {
  const other = Buffer.from(packageOf("alpha"));
  other[9] = (other[9] ?? 0) ^ 1;
  const half = `HTTP/1.1 200 OK\r\ncontent-length: ${other.length}\r\n\r\n!<arch>\n`;
  const cases: readonly (readonly [string, Behaviour, "warnings" | "notes", RegExp])[] = [
    ["that is wrong", plain(200, other), "warnings", /has SHA256 .* trying the next mirror$/],
    ["without the package", plain(404, "gone"), "notes", /status 404; trying the next mirror$/],
    ["that is broken", plain(500, "oops"), "notes", /status 500; trying the next mirror$/],
    ["that breaks off", raw(half), "notes", /trying the next mirror$/],
  ];
  for (const [what, behaviour, where, words] of cases) {
    it(`one ${what}: the next one is used, with a word about it`, async () => {
      await inUse(async (archive) => {
        const broken = await Mirror.start(archive.site);
        try {
          for (const path of [alpha, beta]) broken.behave(path, behaviour);
          const said = await fetchBoth(archive, broken);
          expect(said[where].filter((text) => words.test(text))).to.not.deep.equal([]);
          expect(said[where === "notes" ? "warnings" : "notes"]).to.deep.equal([]);
        } finally {
          await broken.close();
        }
      });
    });
  }

  it("the only one, which fails for a moment: it is asked once more", async () => {
    await inUse(async (archive) => {
      const { profile, state: stateFolder, out: folder } = archive;
      await using client = await openClient({ profile, stateFolder, at: published + 2 * hour });
      let asked = 0;
      const good = plain(200, packageOf("alpha"));
      archive.mirror.behave(alpha, (...terms) => (asked++ === 0 ? plain(500, "oops") : good)(...terms));
      await client.fetch("alpha", { folder });
      expect(asked).to.equal(2);
    });
  });
});
