/** The documentation: its commands run, its links lead somewhere, and it names every key and code that there is. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { type ErrorCode, exitStatus } from "../../src/error.ts";
import { needing } from "../testkit/programs/programs.ts";
import {
  documents,
  freePort,
  makeStage,
  type Performed,
  play,
  programsIn,
  read,
  runnable,
  scriptOf,
} from "./guides.ts";

/** The pages of the roles have a test of their own. */
const guides = documents.filter((path) => !path.startsWith("docs/roles/"));
const clientGuides = ["docs/client.md", "docs/mirror.md", "docs/stock-clients.md"];

/** What a guide fetches, if not the package of opkg. */
const fetched: Readonly<Record<string, string>> = {
  "docs/pkgsrc.md": "hello-1.0.tgz",
  "docs/formats/apt.md": "hello_1.0_all.deb",
  "docs/formats/rpm-md.md": "hello-1.0-1.noarch.rpm",
  "docs/formats/pacman.md": "hello-1.0-1-any.pkg.tar.gz",
};

/** An archive for the clients' guides, made by the first blocks of the keeper's. */
const keeperFirst = `
mkdir keeper && cd keeper
feedkey keygen --user-id 'Example Archive <archive@example.org>' > /dev/null
fingerprint=$(feedkey key list | awk 'length($1) == 40 { print $1; exit }')
mkdir -p archive/base && cp ../packages/*.ipk archive/base/
printf '[archive]\\nroot = archive\\nuser-id = Example Archive <archive@example.org>\\nkey = %s\\n' "$fingerprint" > archive.ini
printf '[feed base]\\nformat = opkg\\npath = base\\n' >> archive.ini
feedkey publish --config archive.ini > /dev/null
archive=file://$PWD/archive mirror=$PWD/archive
cd ..
`;

async function perform(path: string, folder: string): Promise<Performed> {
  const before = clientGuides.includes(path) ? keeperFirst : "";
  return await play(before + scriptOf(path, await freePort()), folder, makeStage(folder));
}

describe("the documentation", () => {
  const withCommands = guides.filter((path) => runnable(path).length > 0);
  let folder: string;

  beforeEach(() => {
    folder = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
  });

  afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const path of withCommands) {
    it(`has commands that do what they say: ${path}`, async function () {
      this.timeout(300_000);
      needing(...programsIn(path)).call(this);
      const { status, output } = await perform(path, folder);
      expect(status, output).to.equal(0);
      const got = fs.existsSync(join(folder, "got")) ? fs.readdirSync(join(folder, "got")) : [];
      expect(got).to.deep.equal([fetched[path] ?? "hello_1.0_all.ipk"]);
    });
  }

  it("has commands to run where it promises them", () => {
    const running = guides.filter((path) => runnable(path).length > 0);
    const promised = [
      "api",
      "archive-keeper",
      "client",
      "formats/apt",
      "formats/pacman",
      "formats/rpm-md",
      "formats/sums",
      "mirror",
      "pkgsrc",
      "stock-clients",
    ].map((name) => `docs/${name}.md`);
    expect(running).to.deep.equal(["README.md", ...promised]);
  });

  for (const path of documents) {
    it(`has links that lead somewhere: ${path}`, () => {
      const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
      const broken = links.filter((target) => {
        if (/^https?:/.test(target)) return false;
        const [file = "", anchor] = target.split("#");
        const place = file === "" ? path : join(dirname(path), file);
        return !fs.existsSync(place) || (anchor !== undefined && !anchorsOf(place).includes(anchor));
      });
      expect(broken).to.deep.equal([]);
    });
  }

  it("counts the attacks of the demo as the demo plays them, in the README and the man page", () => {
    const count = read("src/cli/demo/demo.ts").match(/"attack \d:/g)?.length ?? 0;
    const word = ["no", "one", "two", "three", "four", "five", "six"][count];
    for (const path of ["README.md", "man/demo.md"]) expect(read(path), path).to.contain(`${word} attacks`);
  });

  it("lists every exit status with its codes in the README", () => {
    const codes = [...read("src/error.ts").matchAll(/^ {2}([a-z_]+): \d+,$/gm)].map(([, code = ""]) => code);
    const rows = [...read("README.md").matchAll(/^\| (\d+) \| [^|]+ \| ([^|]*)\|$/gm)];
    const listed = rows.flatMap(([, status, text = ""]) => {
      return (text.match(/[a-z_]+/g) ?? []).map((code) => `${code} ${status}`);
    });
    expect(listed.sort()).to.deep.equal(codes.map((code) => `${code} ${exitStatus(code as ErrorCode)}`).sort());
  });

  for (const [source, paths] of [
    ["src/profile/read-profile.ts", ["docs/profile.md", "profiles/demo.ini"]],
    ["src/profile/read-archive.ts", ["docs/archive-ini.md"]],
  ] as const) {
    it(`explains every key that ${source} knows`, () => {
      const lists = [...read(source).matchAll(/^const \w+Keys = \[([^\]]+)\]/gm)];
      const keys = lists.flatMap(([, list = ""]) => list.match(/[a-z0-9-]+/g) ?? []);
      expect(keys).to.not.have.length(0);
      for (const path of paths) {
        const text = read(path);
        const form = (key: string) => (path.endsWith(".ini") ? new RegExp(`\\b${key} =`) : new RegExp(`\`${key}\``));
        const missing = keys.filter((key) => !form(key).test(text));
        expect(missing, path).to.deep.equal([]);
      }
    });
  }

  it("defines the words of forks as the code does", () => {
    const plain = (text: string) => text.replace(/\n \*/g, "\n").replace(/\s+/g, " ");
    const [head = ""] = read("src/trust/fork.ts").split("*/");
    const definitions = plain(head)
      .split(/ - (?=\*)/)
      .slice(1);
    expect(definitions).to.not.have.length(0);
    const rules = plain(read("docs/trust-rules.md"));
    expect(definitions.filter((definition) => !rules.includes(definition.trim()))).to.deep.equal([]);
  });

  it("has a section for each trust rule", () => {
    const headings = [...read("docs/trust-rules.md").matchAll(/^## (T\d+) /gm)].map(([, rule]) => rule);
    expect(headings).to.deep.equal(Array.from({ length: 14 }, (_, place) => `T${place + 1}`));
  });
});

/** As code forges make them of headings. */
function anchorsOf(path: string): string[] {
  const headings = [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) => {
    return heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
  });
}
