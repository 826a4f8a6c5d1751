// The vectors of test/vectors/index/: traps in the documents of each format, and honest ones beside them.
import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { answer, type IndexVectors } from "../testkit/index-vector.ts";

const folder = "test/vectors/index";

for (const name of readdirSync(folder).filter((one) => one.endsWith(".json"))) {
  const file: IndexVectors = JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
  describe(`vectors of ${file.document}`, () => {
    for (const vector of file.vectors) {
      it(`${vector.about}: ${vector.expect}`, () => {
        const { about, expect: code, line, says, packages, signed } = vector;
        const said = answer(file, vector);
        expect(said.expect, said.message).to.equal(code);
        if (line !== undefined) expect(said.line, about).to.equal(line);
        if (says !== undefined) expect(said.message).to.include(says);
        if (packages !== undefined) expect(said.packages).to.deep.equal(packages);
        if (signed !== undefined) expect(said.signed).to.equal(signed);
      });
    }

    it("are of both kinds, and each says what it is about", () => {
      const codes = new Set(file.vectors.map((vector) => vector.expect));
      expect(codes.has("good") && codes.size > 1).to.equal(true);
      expect(new Set(file.vectors.map(({ about }) => about)).size).to.equal(file.vectors.length);
    });
  });
}
