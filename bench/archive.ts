/** A temporary archive with its key, and a client's profile for it, made with the program's own commands. */
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { dearmor } from "../src/openpgp/packet/armor.ts";

const program = resolve("bin/feedkey.js");
const userId = "Bench Archive Signing Key <archive@bench.example>";

/** The command line of feedkey with these arguments. */
export function feedkey(...args: string[]): [string, ...string[]] {
  return [process.execPath, program, ...args];
}

function run(...args: string[]): string {
  const [command, ...rest] = feedkey(...args);
  return execFileSync(command, rest, { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
}

export class BenchArchive {
  readonly root: string;
  readonly home: string;
  readonly profile: string;
  readonly key: string;
  readonly #format: "opkg" | "pkgsrc";

  /** @param folder a new folder to work in */
  constructor(folder: string, algorithm = "rsa3072", format: "opkg" | "pkgsrc" = "opkg") {
    this.#format = format;
    this.root = join(folder, "archive");
    this.home = join(folder, "home");
    this.profile = join(folder, "bench.ini");
    fs.mkdirSync(this.root, { recursive: true });
    const made = run("keygen", "--home", this.home, "--user-id", userId, "--algorithm", algorithm, "--json");
    this.key = String((JSON.parse(made) as { fingerprint: unknown }).fingerprint);
    const lines = ["[archive]", "name = Bench", `url = ${pathToFileURL(this.root).href}`, `user-id = ${userId}`];
    lines.push("[trust]", `keyring = ${join(this.home, "certs")}`, `seeds = ${this.key}`, "keyservers = none");
    lines.push("[feed bench]", `format = ${format}`, "path = .");
    fs.writeFileSync(this.profile, `${lines.join("\n")}\n`);
  }

  /** The archive's certificate in the form for gpgv and sqv. */
  get keyring(): string {
    const keyring = join(this.home, "keyring.pgp");
    if (!fs.existsSync(keyring)) {
      const blocks = dearmor(fs.readFileSync(join(this.home, "certs", `${this.key}.asc`)), "PUBLIC KEY BLOCK");
      fs.writeFileSync(keyring, Buffer.concat(blocks));
    }
    return keyring;
  }

  publishCommand(...more: string[]): [string, ...string[]] {
    const terms = ["--feed", "bench", "--format", this.#format, "--home", this.home, "--key", this.key];
    return feedkey("publish", this.root, ...terms, ...more);
  }

  /** Runs `publish`, which also fills the cache. */
  publish(): void {
    const [command, ...args] = this.publishCommand();
    execFileSync(command, args);
  }

  /** Removes the cache and everything that was published. */
  unpublish(): void {
    fs.rmSync(join(this.home, "archives"), { recursive: true, force: true });
    fs.rmSync(join(this.root, "keys"), { recursive: true, force: true });
    for (const name of fs.readdirSync(this.root)) {
      if (/^(Packages|pkg_summary)/.test(name)) fs.rmSync(join(this.root, name));
    }
  }

  /** Signs an index that was written by hand. */
  sign(index: string): void {
    const [command, ...args] = this.signCommand(index);
    execFileSync(command, args);
  }

  signCommand(index: string): [string, ...string[]] {
    return feedkey("sign", index, "--home", this.home, "--key", this.key, "--feed", "bench");
  }

  /** `verify` as an audit: gpgv keeps no state either. */
  verifyCommand(index: string, ...more: string[]): [string, ...string[]] {
    return feedkey("verify", index, "--profile", this.profile, "--no-state", ...more);
  }

  /** `verify` that remembers what it accepted. */
  keptCommand(index: string, state: string): [string, ...string[]] {
    return feedkey("verify", index, "--profile", this.profile, "--state", state);
  }
}
