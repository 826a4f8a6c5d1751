// Real package managers, where their answers change in a rotation: they do what docs/who-accepts-what.md says, which rehearsals foretold.
import * as fs from "node:fs/promises";
import { expect } from "chai";
import type { LiveArchive } from "../testkit/archives/live-archive.ts";
import { skipUnlessRoot } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";
import { archiveOfAll } from "./every-format.ts";
import { clients, RealWalk } from "./real-walk.ts";
import { finish, foretold, steps } from "./steps.ts";
import { Story } from "./story.ts";
import { cellsAfter, page, saidOnPage, tableOf } from "./who-accepts.ts";

describe("rehearse: what package managers then do", function () {
  this.timeout(600_000);
  let archive: LiveArchive;
  let story: Story;
  let walk: RealWalk;
  let first: string;
  let text: string;

  before(async function () {
    skipUnlessRoot(this);
    needing(...clients, "gpgv", "gpg", "sqv", "createrepo_c", "rpm", "pacman-key").call(this);
    text = await fs.readFile(page, "utf8");
    ({ archive, first } = await archiveOfAll(true));
    story = new Story(archive);
    await story.ship();
    walk = await RealWalk.begin(story, first);
  });

  after(async () => {
    await walk?.remove();
    await archive?.remove();
  });

  it("is nowhere what was not foretold, by the last run of npm run who-accepts", () => {
    expect(text).to.match(/^[1-9]\d+ answers of real machines compared with the predictions: 0 differences\.$/m);
  });

  for (const step of steps) {
    it(`${step.name}${step === finish ? ", which is rehearsed here too" : ""}`, async () => {
      if (step === finish) {
        const rows = await foretold(step, story);
        expect(text).to.include(tableOf(step.result, cellsAfter(rows, [], first)));
      }
      const found = await walk.take(step);
      const said = found.map((one) => ({ ...one, word: saidOnPage(text, step, one.client, one.generation) }));
      expect(found).to.deep.equal(said);
    });
  }
});
