/**
 * An archive as NetBSD's could be: an offline master that only certifies, people, build machines that sign one feed each, a
 * publisher without any secret, a server for archive and keys over TLS, and clients whose profile holds the master alone.
 */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../src/keyserver/server.ts";
import { keyMerger } from "../../src/openpgp/check/key-merger.ts";
import { type Instant, iso } from "../../src/time.ts";
import { Home } from "../testkit/archives/homes.ts";
import { day } from "../testkit/dates.ts";
import { pkgsrcPackage } from "../testkit/packages/pkgsrc-package.ts";
import { documentOf, type JsonDocument, runHere } from "../testkit/programs/command-line.ts";
import { tlsFile } from "../testkit/servers/misbehaving-server.ts";

export const archiveId = "NetBSD Packages <packages@example.org>";
const authority = resolve("test/vectors/tls/ca.pem");

/** Where a feed lies in every tree. */
export function pathOf(feed: string): string {
  const [release = "", arch = ""] = feed.split(/-(.*)/);
  return `packages/NetBSD/${arch}/${release}.0/All`;
}

/** A build machine with a tree of its own, in which it publishes one feed. */
export class Machine {
  readonly home: Home;
  readonly feed: string;

  private constructor(home: Home, feed: string) {
    this.home = home;
    this.feed = feed;
  }

  static async make(
    archive: NetbsdArchive,
    name: string,
    feed: string,
    ...keygen: readonly string[]
  ): Promise<Machine> {
    const home = await Home.make(archive.folder, name, ...keygen);
    const machine = new Machine(home, feed);
    await fs.mkdir(machine.packages, { recursive: true });
    const section = [`[feed ${feed}]`, "format = pkgsrc", `path = ${pathOf(feed)}`, ""];
    const lines = [
      "[archive]",
      `root = ${machine.tree}`,
      `user-id = ${archiveId}`,
      `key = ${home.key}`,
      "valid-for = 60d",
    ];
    await fs.writeFile(machine.config, [...lines, ...section].join("\n"));
    return machine;
  }

  get key(): string {
    return this.home.key;
  }

  get tree(): string {
    return join(this.home.folder, "tree");
  }

  get packages(): string {
    return join(this.tree, pathOf(this.feed));
  }

  get config(): string {
    return join(this.home.folder, "machine.ini");
  }

  /** Builds packages: each with its own contents, as pkg_create lays them out. @returns their files */
  async build(names: readonly string[]): Promise<string[]> {
    const files = names.map((name) => join(this.packages, `${name}.tgz`));
    for (const [nth, name] of names.entries()) {
      const said = {
        name,
        depends: nth === 0 ? [] : [`${names[nth - 1]?.replace(/-[^-]*$/, "")}>=1.0`],
        files: { [`bin/${name}`]: `#!/bin/sh\necho ${name}\n`, [`share/doc/${name}/README`]: `${name}\n`.repeat(20) },
      };
      await fs.writeFile(files[nth] ?? "", pkgsrcPackage(said));
    }
    return files;
  }

  /** Signs packages for pkg_add, in their place. */
  async signPackages(at: Instant, files: readonly string[]): Promise<void> {
    await this.home.do(at, "sign-package", ...files, "--key", this.key);
  }

  /** Writes and signs its summary, and uploads the feed. */
  async publish(at: Instant, archive: NetbsdArchive): Promise<void> {
    await this.home.do(at, "publish", "--config", this.config);
    await fs.cp(this.packages, archive.file(this.feed), { recursive: true });
  }
}

export class NetbsdArchive {
  readonly folder: string;
  readonly server: RunningServer;
  readonly master: Home;
  /** The one who hands on what was brought: certificates and no secret. */
  readonly publisher: Home;
  readonly feeds: readonly string[];

  private constructor(folder: string, server: RunningServer, master: Home, feeds: readonly string[]) {
    this.folder = folder;
    this.server = server;
    this.master = master;
    this.publisher = Home.bare(folder, "publisher");
    this.feeds = feeds;
  }

  static async make(feeds: readonly string[]): Promise<NetbsdArchive> {
    const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-netbsd-"));
    const site = join(folder, "site");
    for (const feed of feeds) await fs.mkdir(join(site, pathOf(feed)), { recursive: true });
    const tls = { cert: tlsFile("good.pem"), key: tlsFile("good.key") };
    const server = await startServer({ port: 0, root: site, tls, keyserver: { merger: keyMerger } });
    const master = await Home.make(folder, "master", "--user-id", archiveId, "--certify-only");
    const archive = new NetbsdArchive(folder, server, master, feeds);
    await archive.#configure();
    await archive.handOn(day(1), await master.request(day(1)));
    return archive;
  }

  get site(): string {
    return join(this.folder, "site");
  }

  get config(): string {
    return join(this.folder, "archive.ini");
  }

  get keyserver(): string {
    return `hkps://localhost:${this.server.port}`;
  }

  /** The published folder of a feed, or a file in it. */
  file(feed: string, name = ""): string {
    return join(this.site, pathOf(feed), name);
  }

  #feedSections(): string[] {
    return this.feeds.flatMap((feed) => [`[feed ${feed}]`, "format = pkgsrc", `path = ${pathOf(feed)}`, ""]);
  }

  async #configure(): Promise<void> {
    const keys = [`keyservers = ${this.keyserver}`, `keyserver-ca = ${authority}`];
    const head = [
      "[archive]",
      `root = ${this.site}`,
      `user-id = ${archiveId}`,
      `key = ${this.master.key}`,
      ...keys,
      "",
    ];
    await fs.writeFile(this.config, [...head, ...this.#feedSections()].join("\n"));
  }

  /** The publisher takes in what was brought, and hands it on: into the bundle and to the key server. */
  async handOn(at: Instant, ...files: readonly string[]): Promise<void> {
    await this.publisher.do(at, "key", "import", ...files, "--config", this.config);
  }

  async client(name: string): Promise<NetbsdClient> {
    return await NetbsdClient.make(this, name);
  }

  /** The profile that a release of the system ships: the master, and nothing about anybody else. */
  async writeProfile(name: string): Promise<string> {
    const keyring = join(this.folder, "release-keyring.asc");
    await fs.copyFile(join(this.master.folder, "certs", `${this.master.key}.asc`), keyring);
    const lines = ["[archive]", "name = NetBSD", `url = https://localhost:${this.server.port}/`, `ca = ${authority}`];
    lines.push("user-email = packages@example.org", "[trust]", `keyring = ${keyring}`, `seeds = ${this.master.key}`);
    lines.push(`keyservers = ${this.keyserver}`, `keyserver-ca = ${authority}`, "", ...this.#feedSections());
    const file = join(this.folder, `${name}.ini`);
    await fs.writeFile(file, lines.join("\n"));
    return file;
  }

  async remove(): Promise<void> {
    await this.server.close();
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** What each feed of an `update` came to: its signer, or the code of its refusal. */
export type Feeds = Readonly<Record<string, string>>;

export class NetbsdClient {
  readonly profile: string;
  readonly state: string;

  private constructor(profile: string, state: string) {
    this.profile = profile;
    this.state = state;
  }

  static async make(archive: NetbsdArchive, name: string): Promise<NetbsdClient> {
    return new NetbsdClient(await archive.writeProfile(name), join(archive.folder, `state-${name}`));
  }

  async run(at: Instant, ...args: readonly string[]): Promise<{ status: number | null; document: JsonDocument }> {
    const global = ["--profile", this.profile, "--state", this.state, "--json", "--at", iso(at)];
    const ended = await runHere([...global, ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  /** Must do all that is asked. */
  async do(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const { status, document } = await this.run(at, ...args);
    expect({ status, error: document.error }, args.slice(0, 4).join(" ")).to.deep.equal({
      status: 0,
      error: undefined,
    });
    return document;
  }

  /** Must be refused. @returns the message */
  async refuses(code: string, at: Instant, ...args: readonly string[]): Promise<string> {
    const { status, document } = await this.run(at, ...args);
    expect({ code: document.error?.code, status }, document.error?.message).to.deep.equal({ code, status: 1 });
    return document.error?.message ?? "";
  }

  /** Runs `update`; its exit status must fit. */
  async update(at: Instant, ...feeds: readonly string[]): Promise<Feeds> {
    const { status, document } = await this.run(at, "update", ...feeds);
    const said = document.feeds as {
      readonly name: string;
      readonly error?: { readonly code: string };
      readonly signatures?: readonly { readonly certificate: string }[];
    }[];
    const outcome = said.map(({ name, error, signatures }) => [
      name,
      error?.code ?? signatures?.[0]?.certificate ?? "",
    ]);
    expect(status, document.error?.message).to.equal(said.some(({ error }) => error !== undefined) ? 1 : 0);
    return Object.fromEntries(outcome);
  }
}
