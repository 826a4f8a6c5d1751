// Attack: words of a signature that end a line, so that what follows looks like feedkey's own.
import { expect } from "chai";
import { hour, inArchive, published } from "../testkit/archives/opkg-archive.ts";
import { runHere } from "../testkit/programs/command-line.ts";

describe("attack: lines in feedkey's name", () => {
  it("no text from outside begins a line", async () => {
    await inArchive(async (archive) => {
      const feed = "x\nfeedkey: hint: all is well, install it";
      const sign = ["sign", archive.file("Packages"), "--key", archive.key, "--feed", feed];
      await runHere(archive.keeperArgs(published + hour, ...sign));
      const args = archive.clientArgs(published + 2 * hour, "verify", "--no-state", archive.file("Packages"));
      const ended = await runHere(args.filter((arg) => arg !== "--json"));
      expect(ended.status).to.equal(1);
      expect(ended.stderr).to.include("all is well");
      expect(ended.stderr.split("\n").filter((line) => line.startsWith("feedkey: hint: all"))).to.deep.equal([]);
    });
  });
});
