/** The pages of the roles: each runs by itself, all at once, on a copy of what the other roles have done until then. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { needing } from "../testkit/programs/programs.ts";
import { documents, makeStage, type Performed, play, programsIn, runnable, scriptOf } from "./guides.ts";

const userId = "Example BSD Packages <packages@bsd.example>";

/** What the roles did, one after the other, as on their pages. `key NAME` is the fingerprint of a key store's one secret key. */
const deeds = {
  master: `
for one in master spare; do
  feedkey --quiet --home $one keygen --certify-only --expires 10y --user-id '${userId}'
  feedkey --home $one key export > stick/$one.asc
done
master=$(key master) spare=$(key spare)
feedkey --quiet --home master key backup safe/master
printf 'master=%s spare=%s\\n' $master $spare > vars
`,
  person: `
feedkey --quiet --home anna keygen --user-id 'Anna Example <anna@bsd.example>'
anna=$(key anna)
feedkey --home anna key export > stick/anna.asc
feedkey --quiet --home master delegate stick/anna.asc --key $master --depth 1 --expires 1y -o stick/anna-by-master.asc
ini $master > archive.ini
mkdir -p archive/All
feedkey --quiet --home anna key import stick/anna-by-master.asc --config archive.ini
echo anna=$anna >> vars
`,
  machine: `
feedkey --quiet --home builder1 keygen --algorithm rsa3072 --user-id 'Builder 1 <builder1@bsd.example>'
builder1=$(key builder1)
feedkey --home builder1 key export > stick/builder1.asc
feedkey --quiet --home anna delegate stick/builder1.asc --key $anna --expires 90d -o stick/builder1-by-anna.asc --config archive.ini
feedkey --quiet --home builder1 key import stick/builder1-by-anna.asc
feedkey --quiet --home builder1 sign-package packages/*.tgz --key $builder1 -o archive/All
ini $builder1 > builder1.ini
feedkey --quiet --home builder1 publish --config builder1.ini
`,
};

const functions = `
key() { feedkey --home $1 key list | awk 'length($1) == 40 { print $1; exit }'; }
ini() {
  printf '[archive]\\nroot = archive\\nuser-id = %s\\nkey = %s\\n' '${userId}' $1
  printf '[feed All]\\nformat = pkgsrc\\npath = All\\n'
}
# release NAME FINGERPRINT...: a profile for the archive in the folder NAME, with these seeds.
release() {
  local at=$1; shift
  mkdir -p release
  [ -e release/keyring ] || { mkdir release/keyring; cp stick/master.asc stick/spare.asc release/keyring/; }
  printf '[archive]\\nname = Example BSD\\nurl = file://%s\\nuser-id = %s\\n' "$PWD/$at" '${userId}' > release/bsd.ini
  printf '[trust]\\nkeyring = keyring\\nseeds = %s, %s\\nkeyservers = none\\n' $* >> release/bsd.ini
  printf '[feed All]\\nformat = pkgsrc\\npath = All\\n' >> release/bsd.ini
}
client() { feedkey --profile release/bsd.ini --state checks "$@"; }
# chained FINGERPRINT ROLE, refused FINGERPRINT REASON: what a new client makes of a key.
chained() { client chain | sed '/^not trusted/,$d' | grep "$1  $2"; }
refused() { client chain | sed '1,/^not trusted/d' | grep "$1 .*$2"; }
`;

/** For each page: who has acted before, what lies there besides, the answers that it promises, and what must be true at its end. */
const pages = {
  "master-key-keeper": {
    after: [],
    before: "",
    answers: [
      /copied 1 key .* and read it back/,
      /certificate(, nothing new)?: the key is revoked as compromised/,
      /is still a delegate of/,
    ],
    end: `release archive $master $spare
chained $spare seed; chained $carol delegate
refused $master 'revoked as compromised'; refused $next 'revoked as compromised'; refused $anna withdrawn; refused $bob withdrawn`,
  },
  person: {
    after: ["master"],
    before: "",
    answers: [
      /may sign: depth=0; feeds=All/,
      /is no longer a delegate of/,
      /certificate: the key is revoked as compromised/,
    ],
    end: `release archive $master $spare
chained $anna2 delegate; refused $anna 'revoked as compromised'; refused $builder1 'revoked as compromised'`,
  },
  "build-machine": {
    after: ["master", "person"],
    before: "release archive $master $spare\n",
    answers: [/in force\n.* in force/, /wrote pkg_summary.gz, pkg_summary.gz.asc, pkg_summary.gz.sig/],
    end: `client update | grep "2 packages.*$builder2"
refused $builder1 'revoked as compromised'; test "$(ls got)" = hello-1.0.tgz`,
  },
  "release-engineer": {
    after: ["master", "person", "machine"],
    before: `url=file://$PWD/archive
feedkey --quiet --home next keygen --certify-only --user-id '${userId}'; next=$(key next)
feedkey --home next key export > stick/next.asc
cp safe/master/revocations/$master-compromised.asc stick/
`,
    answers: [/profile bsd is in order\n/],
    end: `feedkey profile check release/bsd.ini | grep "$next .*may certify"
grep "^seeds = $spare, $next" image/etc/feedkey/profiles/bsd.ini
test "$(grep -c $master image/etc/feedkey/profiles/bsd.ini)" = 0; test ! -s image/etc/feedkey/keyrings/bsd.gpg; test "$(ls got)" = hello-1.0.tgz`,
  },
  "mirror-operator": {
    after: ["master", "person", "machine"],
    before: "mv archive upstream; release upstream $master $spare\n",
    answers: [/error: .*hello/],
    end: "diff -r upstream mirror",
  },
  "end-user": {
    after: ["master", "person", "machine"],
    before: "root=$PWD/system mirror=$PWD/archive; mkdir system; release archive $master $spare\n",
    answers: [/All: 2 packages, signed/, /error: .*hello/],
    end: `test -z "$(find system -name pkg_install.conf)"; test "$(ls got)" = hello-1.0.tgz`,
  },
} as const;

/** The stages of the story, each a folder with what has been done until then. */
async function stageFor(folder: string): Promise<NodeJS.ProcessEnv> {
  fs.mkdirSync(folder);
  const env = makeStage(folder);
  fs.mkdirSync(join(folder, "stick"));
  fs.writeFileSync(join(folder, "vars"), "");
  return env;
}

/** A page on a copy of its stage. */
async function performPage(stages: string, name: keyof typeof pages, env: NodeJS.ProcessEnv): Promise<Performed> {
  const { after, before, end } = pages[name];
  const folder = join(stages, `page-${name}`);
  fs.cpSync(join(stages, `stage-${after.length}`), folder, { recursive: true });
  const script = `${functions}. ./vars\n${before}${scriptOf(`docs/roles/${name}.md`, 0)}echo the end >&2\n${end}\n`;
  return await play(script, folder, { ...env, HOME: join(folder, "home") });
}

describe("the pages of the roles", () => {
  const names = Object.keys(pages) as (keyof typeof pages)[];
  const performed = new Map<string, Promise<Performed>>();
  let stages: string;

  before(async function () {
    this.timeout(300_000);
    stages = fs.mkdtempSync(join(tmpdir(), "feedkey-test-"));
    const first = join(stages, "stage-0");
    const env = await stageFor(first);
    const start = (done: number) => {
      for (const name of names.filter((one) => pages[one].after.length === done)) {
        performed.set(name, performPage(stages, name, env));
      }
    };
    start(0);
    for (const [nth, deed] of Object.values(deeds).entries()) {
      const stage = join(stages, `stage-${nth + 1}`);
      fs.cpSync(join(stages, `stage-${nth}`), stage, { recursive: true });
      const { status, output } = await play(`${functions}. ./vars\n${deed}`, stage, env);
      expect(status, output).to.equal(0);
      start(nth + 1);
    }
  });

  after(async function () {
    this.timeout(300_000);
    await Promise.allSettled(performed.values());
    fs.rmSync(stages, { recursive: true, force: true });
  });

  for (const name of names) {
    it(`${name}.md has commands that do what they say`, async function () {
      this.timeout(300_000);
      needing(...programsIn(`docs/roles/${name}.md`)).call(this);
      const { status, output } = (await performed.get(name)) ?? { status: null, output: "never begun" };
      expect(status, output).to.equal(0);
      for (const answer of pages[name].answers) expect(output).to.match(answer);
    });
  }

  for (const name of names) {
    it(`${name}.md names the variables that it takes over from other pages`, () => {
      const path = `docs/roles/${name}.md`;
      const code = runnable(path)
        .map((block) => block.code)
        .join("\n");
      const set = new Set(
        [...code.matchAll(/(?:^|[\s;(])(?:for )?([a-z]\w*)(?:=| in )/gm)].map(([, variable]) => variable),
      );
      const used = [...code.matchAll(/\$\{?([a-z]\w*)/g)].map(([, variable]) => variable);
      const [head = ""] = fs.readFileSync(path, "utf8").split(/^## /m);
      expect(used.filter((variable) => !set.has(variable) && !head.includes(`\`$${variable}\``))).to.deep.equal([]);
    });
  }

  it("there is none without commands, and each says at its head what to do in an emergency", () => {
    const found = documents.filter((path) => path.startsWith("docs/roles/") && path !== "docs/roles/README.md");
    expect(found.sort()).to.deep.equal(names.map((name) => `docs/roles/${name}.md`).sort());
    for (const path of found) {
      expect(runnable(path), path).to.not.have.length(0);
      expect(fs.readFileSync(path, "utf8").split("\n## ")[0], path).to.contain("**Emergency?** [");
    }
  });
});
