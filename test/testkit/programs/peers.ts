/** Other programs, to agree with: each in a throw-away home of its own. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { presentOrSkip } from "./present.ts";

/** Skips a test where a program is missing, unless FEEDKEY_REQUIRE_PEERS=1 asks for it: then it fails. */
export function need(test: Mocha.Context, ...programs: readonly string[]): void {
  const missing = programs.filter((program) => spawnSync(program, ["--version"]).error !== undefined);
  presentOrSkip(test, missing.length === 0, `needs ${missing.join(", ")}`);
}

export interface Ran {
  readonly status: number;
  readonly text: string;
  readonly bytes: Buffer;
}

/** A folder with a GnuPG home in it. Its path is short: GnuPG's sockets don't fit into a long one. */
export class PeerHome {
  readonly folder = mkdtempSync("/tmp/fk-");

  constructor() {
    // No prompts, and no lingering keys of this machine.
    writeFileSync(join(this.folder, "gpg-agent.conf"), "allow-loopback-pinentry\n");
  }

  file(name: string, content: Uint8Array | string): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  run(program: string, args: readonly string[], input: Uint8Array | string = ""): Ran {
    const env = { PATH: process.env.PATH ?? "", HOME: this.folder, GNUPGHOME: this.folder, LC_ALL: "C.UTF-8" };
    const { status, stdout, stderr } = spawnSync(program, args, { cwd: this.folder, env, input, timeout: 60_000 });
    return { status: status ?? -1, text: `${stdout}${stderr}`, bytes: stdout };
  }

  /** A run that must succeed. */
  must(program: string, args: readonly string[], input: Uint8Array | string = ""): Ran {
    const ran = this.run(program, args, input);
    if (ran.status !== 0) throw new Error(`${program} ${args.join(" ")}: ${ran.status}\n${ran.text}`);
    return ran;
  }

  gpg(args: readonly string[], input: Uint8Array | string = ""): Ran {
    return this.must("gpg", ["--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "", ...args], input);
  }

  /** Ends the agent and removes everything. */
  end(): void {
    this.run("gpgconf", ["--kill", "all"]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
