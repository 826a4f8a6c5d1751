/** The JSON Schemas in docs/json/: one for each command, and strict enough to notice what is not as they say. */
import * as fs from "node:fs";
import { expect } from "chai";
import { documentOf, runHere } from "../testkit/programs/command-line.ts";
import { checkJson, schemaNames, schemaProblems } from "../testkit/programs/json-schemas.ts";
import { inScratch } from "../testkit/scratch.ts";

const cli = fs.readdirSync("src/cli").filter((name) => name.endsWith("-commands.ts"));
const source = cli.map((name) => fs.readFileSync(`src/cli/${name}`, "utf8")).join("\n");
/** What `feedkey.NAME/1` can be; a command line without a known command is the program's own. */
const printed = [...new Set([...source.matchAll(/\brun\(\s*"([a-z-]+)"/g)].map(([, name = ""]) => name)), "feedkey"];

describe("docs/json", () => {
  it("has a schema for each command, and none for anything else", () => {
    expect(printed).to.include.members(["update", "archive-status", "key"]);
    expect([...schemaNames].sort()).to.deep.equal(printed.sort());
  });

  it("is of draft 2020-12, and each schema names its file, its command and what each shape of a result is", () => {
    for (const name of schemaNames) {
      const schema = JSON.parse(fs.readFileSync(`docs/json/${name}.json`, "utf8"));
      expect([schema.$schema, schema.$id, schema.properties.schema.const]).to.deep.equal([
        "https://json-schema.org/draft/2020-12/schema",
        `${name}.json`,
        `feedkey.${name}/1`,
      ]);
      const [failed, ...shapes] = schema.anyOf;
      expect(failed).to.deep.equal({ $ref: "document.json#/$defs/failed" });
      for (const { title } of shapes) expect(title, name).to.be.a("string");
      const failure = { code: "usage", message: "no", details: {} };
      expect(schemaProblems({ schema: `feedkey.${name}/1`, ...{ ok: false, error: failure } }), name).to.deep.equal([]);
      // Its own shapes are read: a success must have one of them.
      expect(schemaProblems({ schema: `feedkey.${name}/1`, ...{ ok: true } }), name).to.not.deep.equal([]);
    }
  });

  it("knows every code of an error", () => {
    const codes = [...fs.readFileSync("src/error.ts", "utf8").matchAll(/^ {2}([a-z_]+): \d+,$/gm)];
    const common = JSON.parse(fs.readFileSync("docs/json/document.json", "utf8"));
    expect(common.$defs.code.enum.toSorted()).to.deep.equal(codes.map(([, code]) => code).sort());
  });

  it("is listed in docs/json.md, schema by schema", () => {
    const listed = [...fs.readFileSync("docs/json.md", "utf8").matchAll(/\]\(json\/([a-z-]+)\.json\)/g)];
    expect(listed.map(([, name]) => name).sort()).to.deep.equal([...schemaNames, "document"].sort());
  });

  it("notices a field that is missing, of another type, or not documented", () =>
    inScratch(async (folder) => {
      const made = ["keygen", "--user-id", "Example <archive@example.org>"];
      await runHere(["--home", folder, ...made]);
      const document = documentOf(await runHere(["--home", folder, "--json", "key", "list"]));
      expect(schemaProblems(document), "control").to.deep.equal([]);
      const [key] = document.keys as Record<string, unknown>[];
      const wrong: object[] = [
        { ...document, extra: 1 },
        { ...document, ok: false },
        { ...document, error: { code: "usage", message: "no", details: {} } },
        { ...document, ok: false, error: { code: "odd", message: "no", details: {} } },
        { ...document, warnings: "none" },
        { ...document, schema: "feedkey.keys/1" },
        { ...document, keys: [{ ...key, extra: 1 }] },
        { ...document, keys: [{ ...key, fingerprint: String(key?.fingerprint).toLowerCase() }] },
        { ...document, keys: [{ ...key, createdAt: "yesterday" }] },
      ];
      for (const name of Object.keys(document)) wrong.push({ ...document, [name]: undefined });
      for (const name of Object.keys(key ?? {})) wrong.push({ ...document, keys: [{ ...key, [name]: undefined }] });
      for (const one of wrong) {
        const text = JSON.stringify(one);
        expect(schemaProblems(JSON.parse(text)), text).to.not.deep.equal([]);
        if ("schema" in JSON.parse(text)) expect(() => checkJson(["--json"], text), text).to.throw("docs/json/");
      }
    }));
});
