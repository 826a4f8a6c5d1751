/** The real apt, in a root of its own: nothing of this machine's state is touched. */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { type Ended, runProgram } from "../testkit/programs/command-line.ts";

export class RealApt {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * @param folder where its root is made
   * @param source a line of sources.list
   */
  static async make(folder: string, source: string): Promise<RealApt> {
    const root = join(folder, "root");
    for (const name of ["lists/partial", "cache/archives/partial", "etc"])
      await fs.mkdir(join(root, name), { recursive: true });
    await fs.writeFile(join(root, "status"), "");
    await fs.writeFile(join(root, "etc/sources.list"), `${source}\n`);
    const settings = {
      "Dir::State": root,
      "Dir::State::lists": join(root, "lists"),
      "Dir::State::status": join(root, "status"),
      "Dir::Cache": join(root, "cache"),
      "Dir::Etc": join(root, "etc"),
      "APT::Sandbox::User": "root",
      "APT::Architecture": "amd64",
      // Without it apt warns of what it refused, keeps the old lists and calls that a success.
      "APT::Update::Error-Mode": "any",
      "Acquire::Languages": "none",
      "Acquire::http::Proxy": "DIRECT",
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`);
    await fs.writeFile(join(root, "apt.conf"), `${lines.join("")}APT::Architectures { "amd64" };\n`);
    return new RealApt(root);
  }

  async run(program: string, ...args: readonly string[]): Promise<Ended> {
    return await runProgram(program, args, { env: { APT_CONFIG: join(this.#root, "apt.conf"), LC_ALL: "C" } });
  }

  /** Forgets all lists. */
  async forget(): Promise<void> {
    await fs.rm(join(this.#root, "lists"), { recursive: true });
    await fs.mkdir(join(this.#root, "lists/partial"), { recursive: true });
  }

  /** `apt-get update` on empty lists. */
  async update(): Promise<Ended> {
    await this.forget();
    return await this.run("apt-get", "update");
  }

  /** What it could install. */
  async packages(): Promise<string[]> {
    const { stdout } = await this.run("apt-cache", "pkgnames");
    return stdout
      .split("\n")
      .filter((name) => name !== "")
      .sort();
  }

  /** `apt-get install`, as far as to the packages' files. @returns these, in its cache */
  async install(...names: readonly string[]): Promise<{ readonly ended: Ended; readonly files: readonly string[] }> {
    const cache = join(this.#root, "cache/archives");
    await this.run("apt-get", "clean");
    const ended = await this.run("apt-get", "install", "-y", "--download-only", "--no-install-recommends", ...names);
    const found = (await fs.readdir(cache)).filter((name) => name.endsWith(".deb")).sort();
    return { ended, files: found.map((name) => join(cache, name)) };
  }
}
