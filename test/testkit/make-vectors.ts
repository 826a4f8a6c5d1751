/** Writes `test/vectors/signature/`: `node dist/test/testkit/make-vectors.js` in the repository's root. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { makeVectors } from "./vector-cases.ts";

const folder = "test/vectors/signature";
mkdirSync(folder, { recursive: true });
for (const file of readdirSync(folder)) if (file.endsWith(".json")) rmSync(`${folder}/${file}`);
for (const [name, vector] of makeVectors())
  writeFileSync(`${folder}/${name}.json`, `${JSON.stringify(vector, null, 2)}\n`);
