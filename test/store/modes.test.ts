/** Secret keys on sticks: FAT and exFAT keep no modes, and what they show is not the owner's fault. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { keepsModes, type ModeProbe, warnOfModes } from "../../src/files/modes.ts";
import { readPrivateFile } from "../../src/files/private-file.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";
import { skip, skipUnlessRoot } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";

const uid = process.geteuid?.() ?? 0;

/** A file of mode 0755 on some file system. */
function file(type: number, chmod: (mode: number) => number, owner = uid): ModeProbe & { readonly mode: number } {
  const shown = { mode: 0o100755, uid: owner };
  return {
    get mode() {
      return shown.mode & 0o7777;
    },
    type: async () => type,
    stat: async () => ({ ...shown }),
    chmod: async (mode) => {
      shown.mode = 0o100000 | chmod(mode);
    },
  };
}

const changing = (mode: number) => mode;
const ignoring = () => 0o755;
const refusing = (code: string) => (): number => {
  throw Object.assign(new Error(code), { code });
};

describe("files/modes", () => {
  for (const [what, type, chmod, keeps] of [
    ["ext4", 0xef53, changing, true],
    ["ext4, immutable", 0xef53, refusing("EPERM"), true],
    ["FAT", 0x4d44, ignoring, false],
    ["exFAT", 0x2011bab0, refusing("EPERM"), false],
    ["NTFS", 0x7366746e, ignoring, false],
    ["exfat-fuse, which refuses", 0x65735546, refusing("EPERM"), false],
    ["exfat-fuse, which ignores", 0x65735546, ignoring, false],
    ["a FUSE file system with modes", 0x65735546, changing, true],
    ["a FUSE file system that is broken", 0x65735546, refusing("EIO"), true],
  ] as const) {
    it(`${what}: ${keeps ? "a mode is the owner's" : "there are none"}`, async () => {
      const probe = file(type, chmod);
      expect(await keepsModes(probe)).to.equal(keeps);
      expect(probe.mode, "trying leaves the mode as it was").to.equal(0o755);
    });
  }

  it("takes nothing for granted where the file is another user's", async () => {
    expect(await keepsModes(file(0x65735546, refusing("EPERM"), uid + 1))).to.equal(true);
  });

  it("an open key on a file system with modes is refused as ever, and warned of nowhere", async () => {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-modes-"));
    try {
      await fs.writeFile(join(folder, "key"), "secret", { mode: 0o644 });
      const error = await readPrivateFile(join(folder, "key")).catch((thrown: Error) => thrown);
      expect(String(error)).to.include("is open to other users (mode 644)");
      await fs.chmod(folder, 0o755);
      expect(await warnOfModes(folder)).to.equal(undefined);
    } finally {
      await fs.rm(folder, { recursive: true });
    }
  });

  describe("on a stick with exFAT", function () {
    this.timeout(60_000);
    let folder: string;
    let device = "";

    before(needing("mount.exfat-fuse", "mkfs.exfat", "losetup"));
    beforeEach(async function () {
      skipUnlessRoot(this);
      folder = await fs.mkdtemp(join(tmpdir(), "feedkey-stick-"));
      await fs.mkdir(join(folder, "stick"));
      await fs.writeFile(join(folder, "image"), Buffer.alloc(40 * 1024 * 1024));
      await runProgram("mkfs.exfat", [join(folder, "image")]);
      const loop = await runProgram("losetup", ["-f", "--show", join(folder, "image")]);
      device = loop.stdout.trim();
      if (loop.status !== 0) skip(this, "no loop device is free");
      const mounted = await runProgram("mount.exfat-fuse", ["-o", "umask=0022", device, join(folder, "stick")]);
      if (mounted.status !== 0) skip(this, "nothing can be mounted here");
    });

    afterEach(async () => {
      if (uid !== 0) return;
      await runProgram("umount", [join(folder, "stick")]);
      if (device !== "") await runProgram("losetup", ["-d", device]);
      await fs.rm(folder, { recursive: true });
    });

    const feedkey = async (home: string, ...args: readonly string[]) => {
      const ended = await runHere(["--home", join(folder, home), "--json", ...args]);
      const document = documentOf(ended);
      expect(ended.status, document.error?.message).to.equal(0);
      return document;
    };

    it("a backup can be restored, and an offline primary works from there; both say what the stick is", async () => {
      const keygen = ["keygen", "--user-id", "Example Archive <archive@example.org>"];
      const { fingerprint } = await feedkey("home", ...keygen);
      const backup = await feedkey("home", "key", "backup", join(folder, "stick", "safe"));
      expect(JSON.stringify(backup.warnings)).to.include("does not store file modes");
      const restored = await feedkey("other", "key", "restore", join(folder, "stick", "safe"));
      expect(restored.restored).to.deep.equal([fingerprint]);
      const made = await feedkey("third", ...keygen, "--offline-primary", join(folder, "stick", "away"));
      expect(JSON.stringify(made.warnings)).to.include("does not store file modes");
      const extended = await feedkey("stick/away", "key", "extend", String(made.fingerprint), "--expires", "3y");
      expect(JSON.stringify(extended.warnings)).to.include("does not store file modes");
    });
  });
});
