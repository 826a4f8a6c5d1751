/** Lines of blanks inside a description, as OpenWrt's feeds have them: text where they hide nothing, refused elsewhere. */

import { expect } from "chai";
import { parseControl } from "../../src/formats/opkg/field.ts";
import { fileFields, ownWords, stanzaParts } from "../../src/formats/opkg/package-stanza.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { packageStanza } from "../testkit/package-stanza.ts";
import { refusal } from "../testkit/refusal.ts";

const sha256 = "a".repeat(64);
const head = "Package: a\nVersion: 1\nArchitecture: all\n";
const file = `Filename: a.ipk\nSize: 1\nSHA256sum: ${sha256}\n`;
const description = "Description: A name server.\n \n It also hands out addresses.\n";
const next = `Package: b\nVersion: 2\nFilename: b.ipk\nSize: 2\nSHA256sum: ${sha256}\n`;

describe("index-format/opkg: lines of blanks", () => {
  const accepted: readonly [string, string][] = [
    ["one space, as OpenWrt writes it", description],
    ["several spaces", description.replace("\n \n", "\n    \n")],
    ["tabs", description.replace("\n \n", "\n\t \t\n")],
    ["several such lines", description.replace("\n \n", "\n \n \n")],
    ["one right below the field's name", "Description:\n \n text\n"],
    ["one that ends the description", `${description} \n`],
    ["one that ends the text, without its newline", `${description} `],
    ["another spelling of the name", description.replace("Description", "DESCRIPTION")],
  ];
  for (const [what, text] of accepted) {
    it(`reads ${what}`, () => {
      for (const whole of [`${head}${file}${text}`, `${head}${file}${text.trimEnd()}\n \n\n${next}`]) {
        const index = readPackages(Buffer.from(whole));
        expect(index.find("a")[0]).to.include({ name: "a", filename: "a.ipk", size: 1, sha256 });
        expect(index.count).to.equal(whole.includes(next) ? 2 : 1);
      }
      expect(parseControl(Buffer.from(`${head}${text}`))).to.have.length(4);
    });
  }

  const refused: readonly [string, string, number, string][] = [
    ["a field below it", `${head}${description}${file}`, 7, "gives a field after a description with a blank line"],
    ["a name below it", `Version: 1\n${description}Package: a\n`, 5, "gives a field after a description"],
    ["a harmless field below it", `${head}${file}${description}Homepage: x\n`, 10, "gives a field after a description"],
    ["a field that ends it", `${head}Description: x\n \nFilename: a.ipk\n`, 6, "gives a field after a description"],
    [
      "another package right below it",
      `${head}${file}Description: x\n \n${next}`,
      9,
      "gives a field after a description",
    ],
    ["one in another field", `${head}Depends: x,\n \n y\n`, 5, "has only spaces or tabs"],
    ["one in the files to keep", `${head}Conffiles:\n \n /etc/x\n`, 5, "has only spaces or tabs"],
    ["one in a field named alike", `${head}Description-de: x\n \n y\n`, 5, "has only spaces or tabs"],
    ["one in a field with a shorter name", `${head}Descriptio: x\n \n y\n`, 5, "has only spaces or tabs"],
    ["one in the field after it", `${head}Description: x\nTags: y\n \n z\n`, 6, "has only spaces or tabs"],
    ["one that begins a text", ` \n${head}`, 1, "has only spaces or tabs"],
    ["one below an empty line", `${head}Description: x\n\n \n${next}`, 6, "has only spaces or tabs"],
  ];
  for (const [what, text, line, problem] of refused) {
    it(`refuses ${what}, in an index and in control data`, () => {
      expect(refusal(() => readPackages(Buffer.from(text)))).to.include({ code: "bad_index", line });
      const found = refusal(() => parseControl(Buffer.from(text)));
      expect(found).to.include({ code: "bad_package", line });
      expect(found.message).to.contain(problem);
    });
  }

  it("reads the stanza after one that ended in such a description by the whole grammar", () => {
    const text = `${head}${file}${description}\n${next}Description: x\nHomepage: y\n`;
    expect(readPackages(Buffer.from(text)).count).to.equal(2);
  });

  const facts = { filename: "a.ipk", size: 1, md5: "b".repeat(32), sha256 };
  const written = (stanza: Uint8Array) => {
    const { own, added } = stanzaParts(stanza, fileFields(facts));
    return `${Buffer.from(own)}${added}`;
  };

  it("writes what tells about the file above such a description, and the index reads back", () => {
    const { own } = ownWords(Buffer.from(`${head}${description}`));
    const stanza = written(own);
    expect(stanza).to.equal(
      `${head}Filename: a.ipk\nSize: 1\nMD5Sum: ${facts.md5}\nSHA256sum: ${sha256}\n${description}`,
    );
    expect(readPackages(Buffer.from(`${stanza}\n${next}`)).find("a")[0]).to.include({ sha256, size: 1 });
    const control = parseControl(Buffer.from(`${head}${description}`));
    expect(Buffer.from(packageStanza({ control, ...facts })).toString()).to.equal(stanza);
  });

  it("leaves the order as it was where no line is blank", () => {
    const { own } = ownWords(Buffer.from(`${head}Description: x\n .\n y\n`));
    expect(written(own)).to.match(/^Package.*\n y\nFilename: a\.ipk\n/s);
  });

  it("does not write such a description above another field", () => {
    const field = (name: string, value: string) => ({ name, value });
    const control = [field("Package", "a"), field("Version", "1"), field("Description", "x\n \n y"), field("X", "1")];
    expect(refusal(() => packageStanza({ control, ...facts }))).to.include({
      code: "bad_package",
      message: 'field "Description" has a line of only blanks, but is not the last field',
    });
  });
});
