/**
 * `npm run who-accepts`: rehearses each step on an archive with a feed of each format, takes it, has real machines update, and writes the
 * tables of the page. Ends with 1 if one of them did otherwise than was foretold.
 */
import { writeFile } from "node:fs/promises";
import { archiveOfAll } from "./every-format.ts";
import { type Found, RealWalk } from "./real-walk.ts";
import { foretold, steps } from "./steps.ts";
import { type RowJson, Story } from "./story.ts";
import { cellsAfter, page, pageWith, tables } from "./who-accepts.ts";

const { archive, first } = await archiveOfAll(true);
try {
  const story = new Story(archive);
  await story.ship();
  const walk = await RealWalk.begin(story, first);
  const rehearsals: (readonly RowJson[])[] = [];
  const found: (readonly Found[])[] = [];
  for (const step of steps) {
    rehearsals.push(await foretold(step, story));
    found.push(await walk.take(step));
    process.stderr.write(`${step.name}: rehearsed and taken\n`);
  }
  await walk.remove();
  let differences = 0;
  for (const [place, step] of steps.entries()) {
    const cells = cellsAfter(rehearsals[place] ?? [], rehearsals[place + 1] ?? [], first);
    for (const { client, generation, word } of found[place] ?? []) {
      const said = cells.find((one) => one.client === client && one.generation === generation)?.word;
      if (said === word) continue;
      differences += 1;
      process.stderr.write(`${step.name}: ${client} (${generation}) ${word}, foretold: ${said}\n`);
    }
  }
  await writeFile(page, await pageWith(tables(rehearsals, first, { asked: found.flat().length, differences })));
  process.exitCode = differences === 0 ? 0 : 1;
} finally {
  await archive.remove();
}
