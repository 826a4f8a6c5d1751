/** A throw-away GnuPG home with keys of its own. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Ended, runProgram } from "./command-line.ts";

export class GnupgHome {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<GnupgHome> {
    // Sockets of the agent lie in it: their paths must be short.
    return new GnupgHome(await fs.mkdtemp(join(tmpdir(), "fk-gpg-")));
  }

  /** Runs gpg on this home, whatever comes of it. */
  async try(...args: readonly string[]): Promise<Ended> {
    return await runProgram("gpg", ["--homedir", this.folder, "--batch", "--no-tty", "--yes", ...args]);
  }

  /** Runs gpg, which must succeed. @returns its standard output */
  async run(...args: readonly string[]): Promise<string> {
    const ended = await this.try(...args);
    expect(ended.status, `gpg ${args.join(" ")}\n${ended.stderr}`).to.equal(0);
    return ended.stdout;
  }

  /**
   * Makes a key as its keepers would by hand.
   * @param kind what `--quick-generate-key` takes: algorithm, usage, expiry
   * @returns its fingerprint
   */
  async generate(
    userId: string,
    kind: readonly string[] = ["ed25519", "sign", "2y"],
    passphrase = "",
  ): Promise<string> {
    const locking = ["--pinentry-mode", "loopback", "--passphrase", passphrase];
    const said = await this.run(...locking, "--status-fd", "1", "--quick-generate-key", userId, ...kind);
    const fingerprint = /KEY_CREATED \S+ ([0-9A-F]{40})/.exec(said)?.[1];
    if (fingerprint === undefined) throw new Error(`gpg made no key: ${said}`);
    return fingerprint;
  }

  async remove(): Promise<void> {
    // Without GnuPG there is no agent to end: this also runs after tests that were skipped.
    await runProgram("gpgconf", ["--homedir", this.folder, "--kill", "all"]).catch(() => undefined);
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** Gives an action a GnuPG home. */
export async function inGnupgHome(action: (home: GnupgHome) => Promise<void>): Promise<void> {
  const home = await GnupgHome.make();
  try {
    await action(home);
  } finally {
    await home.remove();
  }
}
