import { expect } from "chai";
import fc from "fast-check";
import { FeedkeyError } from "../../src/error.ts";
import { maxLineLength } from "../../src/formats/line-cursor.ts";
import { type Field, parseControl } from "../../src/formats/opkg/field.ts";
import { formatStanza } from "../../src/formats/opkg/package-stanza.ts";
import { readPackages } from "../../src/formats/opkg/packages-text.ts";
import { packageStanza } from "../testkit/package-stanza.ts";
import { refusal } from "../testkit/refusal.ts";

const field = (name: string, value: string): Field => ({ name, value });
const plain = (fields: readonly Field[]) => fields.map((f) => [f.name, f.value]);
const md5 = "0123456789abcdef".repeat(2);
const sha256 = md5.repeat(2);
const about = { filename: "pool/a_1.ipk", size: 42, md5, sha256 };
const control = [field("Package", "a"), field("Version", "1")];

describe("index-format/package-stanza", () => {
  it("writes what opkg reads: control fields in their order, then the file's", () => {
    const fields = [...control, field("Conffiles", "\n /etc/a"), field("Description", "one\n two\xff"), field("X", "")];
    expect(Buffer.from(packageStanza({ ...about, control: fields })).toString("latin1")).to.equal(
      `Package: a\nVersion: 1\nConffiles:\n /etc/a\nDescription: one\n two\xff\nX:\n` +
        `Filename: pool/a_1.ipk\nSize: 42\nMD5Sum: ${md5}\nSHA256sum: ${sha256}\n`,
    );
  });

  it("drops what the package itself says about its file, in any spelling", () => {
    const smuggled = [
      "Filename",
      "FILENAME",
      "size",
      "MD5Sum",
      "MD5",
      "md5sum",
      "SHA1",
      "SHA256",
      "sha256SUM",
      "SHA-256",
    ];
    const kept = [field("Installed-Size", "9"), field("Shared", "yes"), field("Filenames", "x")];
    for (const name of smuggled) {
      const stanza = packageStanza({ ...about, control: [field(name, "evil"), ...control, ...kept] });
      expect(Buffer.from(stanza)).to.deep.equal(
        Buffer.from(packageStanza({ ...about, control: [...control, ...kept] })),
      );
    }
  });

  const refused: readonly [string, readonly Field[], string][] = [
    ["no fields", [], "a stanza needs at least one field"],
    ["no version", [field("Package", "a")], 'line 1 of the control data begins a stanza without "Version"'],
    [
      "a name with a space",
      [field("Version", "1"), field("Package", "a b")],
      'line 2 of the control data has a space or control character in "package"',
    ],
    ["a field twice", [...control, field("version", "2")], 'field "version" appears twice'],
    [
      "a value that brings in a field",
      [...control, field("X", "1\nSHA256sum: 0")],
      'field "X" has a further line that does not start with a space',
    ],
    [
      "a value that brings in a stanza",
      [...control, field("X", "1\n\nPackage: b")],
      'field "X" has a further line that does not start with a space',
    ],
    [
      "a value that ends in a newline",
      [...control, field("X", "1\n")],
      'field "X" has a further line that does not start with a space',
    ],
    [
      "a blank-looking further line",
      [...control, field("X", "1\n \t\n 2")],
      'field "X" has a further line of spaces only',
    ],
    ["a NUL", [...control, field("X", "\0")], 'field "X" has a NUL or a carriage return'],
    ["a carriage return", [...control, field("X", "1\r")], 'field "X" has a NUL or a carriage return'],
    ["a value that starts with a space", [...control, field("X", " 1")], 'field "X" starts with a space'],
    ["a name with a newline", [...control, field("X\nY", "1")], 'field "X\nY" is not a valid field name'],
    ["a name with a colon", [...control, field("X:", "1")], 'field "X:" is not a valid field name'],
    ["a name above ASCII", [...control, field("Xä", "1")], 'field "Xä" is not a valid field name'],
    ["an empty name", [...control, field("", "1")], 'field "" is not a valid field name'],
    ["a comment", [...control, field("#X", "1")], 'field "#X" is not a valid field name'],
    ["a folded version", [field("Package", "a"), field("Version", "1\n 2")], "line 3 of the control data continues"],
    ["a value beyond the limit", [...control, field("X", "x".repeat(maxLineLength))], 'field "X" is too long'],
  ];
  for (const [what, fields, message] of refused) {
    it(`refuses control data with ${what}`, () => {
      const said = refusal(() => packageStanza({ ...about, control: fields }));
      expect(said.code).to.equal("bad_package");
      expect(said.message).to.satisfy((text: string) => text.startsWith(message), said.message);
    });
  }

  for (const filename of ["/a", "a//b", "a/", "../a", "a/./b", "", " a", "a ", "a\nb", "a\0b", "a\\b", "a\u0085b"]) {
    it(`refuses the file name ${JSON.stringify(filename)}`, () => {
      const said = refusal(() => packageStanza({ ...about, control, filename }));
      expect(said.code).to.equal("bad_package");
      expect(said.message).to.match(/^field "Filename" (must be a relative path|has a control character)/);
    });
  }

  for (const wrong of [
    { size: -1 },
    { size: 1.5 },
    { size: Number.NaN },
    { md5: md5.toUpperCase() },
    { sha256: sha256.toUpperCase() },
    { sha256: md5 },
  ]) {
    it(`calls ${JSON.stringify(wrong)} a bug of the caller`, () => {
      expect(refusal(() => packageStanza({ ...about, control, ...wrong })).code).to.equal("internal");
    });
  }

  it("writes nothing for no fields", () => {
    expect(refusal(() => formatStanza([]))).to.include({
      code: "bad_package",
      message: "a stanza needs at least one field",
    });
  });

  const name = fc.stringMatching(/^[!-9;-~]{1,6}$/);
  const value = fc.oneof(
    fc.string({ unit: fc.constantFrom("a", " ", "\t", "\n", ":", ".", "\xff", "Size: 1"), maxLength: 8 }),
    fc.stringMatching(/^([!-~][ -~]*)?(\n[ \t][!-~]+)*$/),
  );
  const fields = fc.array(
    fc.tuple(name, value).map(([n, v]) => field(n, v)),
    { maxLength: 6 },
  );

  it("writes nothing that does not read back as the same fields", () => {
    let written = 0;
    fc.assert(
      fc.property(fields, (given) => {
        let bytes: Uint8Array;
        try {
          bytes = formatStanza(given);
        } catch (error) {
          if (!(error instanceof FeedkeyError)) throw error;
          expect(error.code).to.equal("bad_package");
          return;
        }
        expect(plain(parseControl(bytes))).to.deep.equal(plain(given));
        written++;
      }),
      { numRuns: 2000 },
    );
    expect(written).to.be.greaterThan(200);
  });

  it("writes stanzas that read back as the entry they are about", () => {
    const word = fc.stringMatching(/^[!-~]{1,12}$/);
    const segment = fc.stringMatching(/^[A-Za-z0-9_+~.-]*[A-Za-z0-9]$/);
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
    const said = fc.record({ size: fc.maxSafeNat(), md5: hex(32), sha256: hex(64) });
    const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((segments) => segments.join("/"));
    fc.assert(
      fc.property(word, word, fc.option(word), path, said, (pkg, version, architecture, filename, rest) => {
        const own = [field("Package", pkg), field("Version", version)];
        if (architecture !== null) own.push(field("Architecture", architecture));
        const stanza = packageStanza({ control: own, filename, ...rest });
        expect([...readPackages(Buffer.concat([stanza, Buffer.from("\n"), stanza]))][1]).to.deep.equal({
          name: pkg,
          version,
          architecture: architecture ?? "",
          filename,
          ...rest,
          description: undefined,
          line: own.length + 6,
        });
      }),
    );
  });
});
