// What an export does where the program failed to take the keys over, or could not say which keys it has. The programs are stand-ins.
import * as fs from "node:fs/promises";
import { dirname, join } from "node:path";
import { expect } from "chai";
import { type RawCertificate, writeCertificate } from "../../src/openpgp/certificate/certificate.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { followDnf } from "../../src/stock/dnf-rings.ts";
import { applyExport, type ExportPlan } from "../../src/stock/export.ts";
import { followPacman } from "../../src/stock/pacman-keyring.ts";
import { writeRpmDatabase } from "../../src/stock/rpm-database.ts";
import { iso } from "../../src/time.ts";
import { Repository } from "../pacman/repository.ts";
import { addKey } from "../testkit/archives/opkg-archive.ts";
import { certificate } from "../testkit/certificate.ts";
import { day } from "../testkit/dates.ts";
import { ed25519Key, rsaKey } from "../testkit/keys.ts";
import { runHere } from "../testkit/programs/command-line.ts";
import { inScratch, refusal } from "../testkit/scratch.ts";
import { snapshot } from "../testkit/snapshot.ts";

/** Runs an action with shell scripts in the place of programs. */
async function withPrograms(
  folder: string,
  programs: Readonly<Record<string, string>>,
  action: () => Promise<void>,
): Promise<void> {
  const path = process.env.PATH;
  await fs.mkdir(join(folder, "bin"), { recursive: true });
  for (const [name, script] of Object.entries(programs)) {
    await fs.writeFile(join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  process.env.PATH = `${folder}/bin:${path}`;
  try {
    await action();
  } finally {
    process.env.PATH = path;
  }
}

/** pacman's programs, whose ring is a list of fingerprints in the file `ring/keys`; `broken` makes deletions fail, `unread` the list. */
const pacman = (folder: string) => ({
  "pacman-conf": `echo '${folder}/ring'`,
  "pacman-key": `# KEYRING_IMPORT_DIR='${folder}/keyrings'
[ "$1" = --delete ] || exit 0
[ ! -e '${folder}/broken' ] || { echo no >&2; exit 1; }
shift
for key; do sed -i "/$key/d" '${folder}/ring/keys'; done`,
  gpg: `case "$*" in *--list-keys*) ;; *) exit 0 ;; esac
[ ! -e '${folder}/unread' ] || exit 2
sed 's/.*/fpr:::::::::&:/' '${folder}/ring/keys'`,
});

const dnfFile = "etc/pki/rpm-gpg/RPM-GPG-KEY-example";
const repo = (id: string) => `[${id}]\nbaseurl=https://example.org/\ngpgkey=file:///${dnfFile}\n`;

describe("export: the run after one that failed", function () {
  this.timeout(30_000);

  it("takes a key out of pacman's ring that could not be deleted before, and nobody else's", async () => {
    const repository = await Repository.make();
    const { folder, key } = repository;
    try {
      const [other, stranger] = [await addKey(join(folder, "home")), "5".repeat(40)];
      const profile = join(folder, "example.ini");
      const alone = await fs.readFile(profile, "utf8");
      for (const name of ["keyrings", "ring"]) await fs.mkdir(join(folder, name));
      const held = async () => (await fs.readFile(join(folder, "ring/keys"), "utf8")).trim().split("\n");
      await fs.writeFile(join(folder, "ring/keys"), `${[key, other, stranger].join("\n")}\n`);
      const args = ["export", "--for", "pacman", join(folder, "keyrings/example.gpg")];
      await withPrograms(folder, pacman(folder), async () => {
        await fs.writeFile(profile, alone.replace(`seeds = ${key}`, `seeds = ${key}, ${other}`));
        await repository.accept(day(11), ...args);
        expect(await held()).to.deep.equal([key, other, stranger]);
        await fs.writeFile(profile, alone);
        await fs.writeFile(join(folder, "broken"), "");
        for (const _ of [1, 2]) await repository.refuse("output", day(11), ...args);
        await fs.rm(join(folder, "broken"));
        await repository.accept(day(11), ...args);
        expect(await held()).to.deep.equal([key, stranger]);
      });
    } finally {
      await repository.remove();
    }
  });

  it("leaves pacman the machine keys of another export, for another feed, until their delegation is withdrawn", async () => {
    const repository = await Repository.make();
    const { folder, key } = repository;
    try {
      const keeper = async (...args: readonly string[]) => {
        const { status, stderr } = await runHere(["--home", join(folder, "home"), "--at", iso(day(9)), ...args]);
        expect(status, stderr).to.equal(0);
      };
      const machines: string[] = [];
      for (const feed of ["example", "other"]) {
        const machine = await addKey(join(folder, "home"), { userId: `Machine <${feed}@example.org>` });
        await keeper("delegate", machine, "--key", key, "--feeds", feed, "--expires", "90d");
        machines.push(machine);
      }
      await fs.appendFile(join(folder, "example.ini"), "[feed other]\nformat = pacman\npath = other\n");
      for (const name of ["keyrings", "ring"]) await fs.mkdir(join(folder, name));
      await fs.writeFile(join(folder, "ring/keys"), `${[key, ...machines].join("\n")}\n`);
      const held = async () => (await fs.readFile(join(folder, "ring/keys"), "utf8")).trim().split("\n");
      await withPrograms(folder, pacman(folder), async () => {
        const both = async () => {
          for (const feed of ["example", "other"]) {
            const file = join(folder, `keyrings/${feed}.gpg`);
            const { keys } = await repository.accept(day(11), "export", "--for", "pacman", file, "--feed", feed);
            expect(keys).to.include(key);
          }
          return await held();
        };
        expect(await both()).to.deep.equal([key, ...machines]);
        await keeper("delegate", String(machines[0]), "--withdraw", "--key", key);
        expect(await both()).to.deep.equal([key, machines[1]]);
      });
    } finally {
      await repository.remove();
    }
  });

  it("takes keys out of rpm's database where packages are not checked any more, and out of dnf's file where rpm fails", async () => {
    await inScratch(async (folder) => {
      const file = join(folder, "etc/pki/rpm-gpg/RPM-GPG-KEY-example");
      const made = [rsaKey("rsa-a"), rsaKey("rsa-b"), ed25519Key("gone")].map((one) => certificate({ key: one }));
      const [raw, barredKey, goneKey] = made.flatMap(({ armored }) => readKeys(Buffer.from(armored)).certificates) as [
        RawCertificate,
        RawCertificate,
        RawCertificate,
      ];

      for (const name of ["etc/pki/rpm-gpg", "etc/yum.repos.d", "var/lib"])
        await fs.mkdir(join(folder, name), { recursive: true });
      await fs.writeFile(join(folder, "etc/yum.repos.d/example.repo"), repo("example"));
      await fs.writeFile(join(folder, "held"), `gpg-pubkey-1234abcd-5678abcd\n${made[1]?.armored}`);
      await fs.writeFile(file, Buffer.concat([raw, barredKey].map(writeCertificate)));
      const plan: ExportPlan = {
        ...{ path: file, format: "dnf", certificates: [raw], keys: [raw.fingerprint], added: [], left: [] },
        ...{ barred: new Set([barredKey.fingerprint]), removed: [barredKey.fingerprint], revoked: new Set() },
        ...{ remembered: [goneKey], refusal: undefined },
      };
      const inFile = async () => readKeys(await fs.readFile(file)).certificates.map(({ fingerprint }) => fingerprint);
      const asked = async () => await fs.readFile(join(folder, "asked"), "utf8").catch(() => "");
      const rpm = `echo "$*" >> '${folder}/asked'; case "$*" in *" -q "*) cat '${folder}/held' ;; *) exit "$(cat '${folder}/status')" ;; esac`;
      await withPrograms(folder, { rpm, gpg: "exit 0" }, async () => {
        await applyExport(plan);
        expect(await asked(), "there is no database").to.not.contain(" -q ");
        await fs.mkdir(join(folder, "var/lib/rpm"));
        await fs.writeFile(join(folder, "status"), "1");
        await fs.rm(file);
        expect((await refusal(applyExport(plan))).code).to.equal("output");
        expect(await fs.readdir(dirname(file)), "a file that was not there").to.deep.equal([]);
        await fs.writeFile(file, Buffer.concat([raw, barredKey].map(writeCertificate)));
        expect((await refusal(applyExport(plan))).code).to.equal("output");
        expect(await inFile()).to.deep.equal([raw.fingerprint, goneKey.fingerprint]);
        await fs.writeFile(join(folder, "status"), "0");
        await applyExport(plan);
        expect(await inFile()).to.deep.equal([raw.fingerprint]);
      });
      expect(await asked())
        .to.contain("-e --allmatches gpg-pubkey-1234abcd-5678abcd")
        .and.not.contain("--import");
    });
  });

  it("is an error where gpg can't list pacman's keys; a ring that is not there has none", async () => {
    await inScratch(async (folder) => {
      const [barred, none] = [new Set(["A".repeat(40)]), new Set<string>()];
      const follow = () =>
        followPacman({
          path: join(folder, "keyrings/example.gpg"),
          ...{ certificates: [], keys: [], barred, revoked: none },
        });
      await fs.mkdir(join(folder, "keyrings"));
      await withPrograms(folder, pacman(folder), async () => {
        await follow();
        await fs.mkdir(join(folder, "ring"));
        await fs.writeFile(join(folder, "ring/keys"), "");
        await follow();
        await fs.writeFile(join(folder, "unread"), "");
        expect((await refusal(follow())).message).to.contain("gpg could not list pacman's keys");
      });
    });
  });

  it("is an error where rpm can't read its database, which it says only on standard error", async () => {
    await inScratch(async (folder) => {
      const none = "echo 'package gpg-pubkey is not installed'";
      await fs.mkdir(join(folder, "var/lib/rpm"), { recursive: true });
      const write = () => writeRpmDatabase({ root: folder }, [], new Set(["A".repeat(40)]));
      await withPrograms(folder, { rpm: `${none}; exit 1` }, async () => {
        expect(await write()).to.deep.equal([]);
      });
      await withPrograms(folder, { rpm: `${none}; echo 'error: cannot open Packages index' >&2; exit 1` }, async () => {
        const { code, message } = await refusal(write());
        expect(code).to.equal("output");
        expect(message).to.contain("rpm could not read its database of keys: error: cannot open");
      });
    });
  });
});

describe("export: another system's root", () => {
  it("has nothing written or removed through a link that leads out of it", async () => {
    await inScratch(async (folder) => {
      const [root, outside] = [join(folder, "root"), join(folder, "outside")];
      const stranger = certificate({ key: rsaKey("rsa-a") });
      const key = [...readKeys(Buffer.from(stranger.armored)).certificates];
      const barred = new Set(key.map(({ fingerprint }) => fingerprint));
      await fs.mkdir(join(outside, "pubkeys"), { recursive: true });
      await fs.writeFile(join(outside, "pubkeys/key.asc"), stranger.armored);
      await fs.mkdir(join(root, "etc/yum.repos.d"), { recursive: true });
      await fs.writeFile(join(root, "etc/yum.repos.d/example.repo"), repo("example"));
      await fs.mkdir(join(root, "var/cache"), { recursive: true });
      for (const name of ["cache/zypp", "cache/dnf", "tmp"]) await fs.symlink(outside, join(root, "var", name));
      const before = await snapshot(outside);
      await withPrograms(folder, { rpm: "exit 1" }, async () => {
        const tries = [
          () => writeRpmDatabase({ root }, [], barred),
          () => writeRpmDatabase({ root }, key, new Set()),
          () => followDnf({ path: join(root, dnfFile), certificates: key, barred: new Set() }),
        ];
        for (const one of tries) expect((await refusal(one())).code).to.equal("bad_path");
        expect(await snapshot(outside)).to.deep.equal(before);
        for (const name of ["cache/zypp", "cache/dnf", "tmp"]) await fs.rm(join(root, "var", name));
        // A link that stays inside is followed.
        await fs.mkdir(join(root, "zypp"));
        await fs.cp(outside, join(root, "zypp"), { recursive: true });
        await fs.symlink("../../zypp", join(root, "var/cache/zypp"));
        for (const one of tries) await one();
        expect(await fs.readdir(join(root, "zypp/pubkeys"))).to.deep.equal([]);
        expect(await fs.readdir(join(root, "var/cache/dnf"))).to.have.length(1);
      });
    });
  });

  it("has no ring of dnf for a repository whose ID is a path", async () => {
    await inScratch(async (root) => {
      await fs.mkdir(join(root, "etc/yum.repos.d"), { recursive: true });
      await fs.writeFile(join(root, "etc/yum.repos.d/example.repo"), repo("a/b"));
      const warnings = await followDnf({ path: join(root, dnfFile), certificates: [], barred: new Set() });
      expect(warnings).to.deep.equal(["the repository a/b is left out: dnf does not accept such an ID"]);
      expect(await fs.readdir(root)).to.deep.equal(["etc"]);
    });
  });
});
