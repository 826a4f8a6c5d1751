/** Clients that really are out there: each with what it was given, run by itself on the published tree. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archiveUserId } from "../testkit/archives/opkg-archive.ts";
import { documentOf, runHere, runProgram } from "../testkit/programs/command-line.ts";

/** `accepts` or `refuses`, by client. */
export type Verdicts = Readonly<Record<string, string>>;

const wordOf = (status: number | null) => (status === 0 ? "accepts" : "refuses");

const asked = new Map<string, Promise<Verdicts>>();

/** What stock clients say that hold a keyring; of the same files they are asked once. @param feed the published folder */
export async function stockVerdicts(keyring: string, feed: string): Promise<Verdicts> {
  const files = [keyring, join(feed, "Packages.asc"), join(feed, "Packages")];
  const contents = await Promise.all(files.map((file) => fs.readFile(file, "base64")));
  const known = asked.get(contents.join());
  const verdicts = known ?? askStock(keyring, feed);
  asked.set(contents.join(), verdicts);
  return await verdicts;
}

async function askStock(keyring: string, feed: string): Promise<Verdicts> {
  const [signature, index] = [join(feed, "Packages.asc"), join(feed, "Packages")];
  const plain = (program: string) => runProgram(program, ["--keyring", keyring, signature, index]);
  const gpg = async () => {
    const home = await fs.mkdtemp(join(tmpdir(), "fk-gpg-"));
    const quietly = ["--homedir", home, "--batch", "--no-tty", "--no-autostart"];
    try {
      await runProgram("gpg", [...quietly, "--import", keyring]);
      return await runProgram("gpg", [...quietly, "--verify", signature, index]);
    } finally {
      await fs.rm(home, { recursive: true });
    }
  };
  const [gpgv, sqv, verified] = await Promise.all([plain("gpgv"), plain("sqv"), gpg()]);
  return { gpgv: wordOf(gpgv.status), gpg: wordOf(verified.status), sqv: wordOf(sqv.status) };
}

/** feedkey with one key for its seed, as a release with that key would have shipped it. */
export class RealClient {
  readonly #folder: string;
  readonly #name: string;

  /** @param certificate file of the seed, as it was then */
  private constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#name = name;
  }

  static async make(folder: string, site: string, seed: string, certificate: string): Promise<RealClient> {
    const client = new RealClient(folder, seed);
    const lines = ["[archive]", "name = Example", `url = file://${site}/`, `user-id = ${archiveUserId}`];
    lines.push("[trust]", `keyring = ${certificate}`, `seeds = ${seed}`, "keyservers = none");
    lines.push("[feed base]", "format = opkg", "path = feeds/base");
    await fs.writeFile(client.#profile, `${lines.join("\n")}\n`);
    return client;
  }

  get #profile(): string {
    return join(this.#folder, `${this.#name}.ini`);
  }

  /** @param state where it remembers; what is there already makes it a client in use */
  async update(state: string): Promise<string> {
    const ended = await runHere(["--profile", this.#profile, "--state", join(this.#folder, state), "--json", "update"]);
    documentOf(ended);
    return wordOf(ended.status);
  }

  /** A timer's run. @param state as above @returns the exported keyring */
  async timer(state: string): Promise<string> {
    const keyring = join(this.#folder, `${state}-exported.pgp`);
    const client = ["--profile", this.#profile, "--state", join(this.#folder, state), "--json"];
    await runHere([...client, "refresh"]);
    documentOf(await runHere([...client, "export", "--for", "gpgv", "--no-refresh", keyring]));
    return keyring;
  }
}
