// Debian's own archive, as large as it is, through the mirror that apt uses here: the same packages as apt-get gets, byte for byte.
import * as fs from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { FeedkeyError } from "../../src/error.ts";
import { type Client, openClient } from "../../src/index.ts";
import { readKeys } from "../../src/openpgp/certificate/read-keys.ts";
import { runProgram } from "../testkit/programs/command-line.ts";
import { presentOrSkip } from "../testkit/programs/present.ts";
import { needing } from "../testkit/programs/programs.ts";

type Change = (path: string, body: Buffer) => Buffer | undefined;

/** Debian's mirror, behind a server of ours that may change what it passes on. Each file is asked for once. */
class BetweenMirror {
  readonly #files = new Map<string, Promise<Buffer | undefined>>();
  readonly #server: Server;
  /** What becomes of a file; undefined: it is missing. */
  change: Change = (_, body) => body;

  constructor(mirror: string) {
    this.#server = createServer(async ({ url = "/" }, response) => {
      const found = this.#files.get(url) ?? download(`${mirror}${url}`);
      this.#files.set(url, found);
      const body = await found;
      const sent = body === undefined ? undefined : this.change(url, body);
      response.writeHead(sent === undefined ? 404 : 200).end(sent);
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function download(url: string): Promise<Buffer | undefined> {
  const answer = await fetch(url);
  return answer.ok ? Buffer.from(await answer.arrayBuffer()) : undefined;
}

/** Where apt gets bookworm from here; undefined if it does not, or if the mirror can't be reached. */
async function mirrorOf(): Promise<string | undefined> {
  const { stdout } = await runProgram("apt-get", [
    "indextargets",
    "--format",
    "$(REPO_URI) $(RELEASE)",
    "Created-By: Packages",
  ]);
  const found = stdout.split("\n").find((line) => /\/debian\/? bookworm$/.test(line));
  const url = found?.split(" ")[0]?.replace(/\/$/, "");
  if (url === undefined || !url.startsWith("http")) return undefined;
  const isThere = await fetch(`${url}/dists/bookworm/InRelease`, { method: "HEAD" }).then(
    ({ ok }) => ok,
    () => false,
  );
  return isThere ? url : undefined;
}

describe("Debian's own archive", function () {
  this.timeout(300_000);
  let folder: string;
  let between: BetweenMirror | undefined;
  let profile: readonly string[];

  before(async function () {
    needing("apt-get", "dpkg").call(this);
    const found = await mirrorOf();
    if (!presentOrSkip(this, found, "apt has no mirror of bookworm that can be reached")) return;
    folder = await fs.mkdtemp(join(tmpdir(), "feedkey-debian-"));
    between = new BetweenMirror(found);
    await fs.mkdir(join(folder, "keyring"));
    const seeds: string[] = [];
    for (const name of await fs.readdir("test/vectors/debian-archive")) {
      if (!/key-1[123]-/.test(name)) continue;
      const text = await fs.readFile(join("test/vectors/debian-archive", name));
      await fs.writeFile(join(folder, "keyring", name), text);
      for (const { fingerprint } of readKeys(text).certificates) seeds.push(fingerprint);
    }
    const { stdout } = await runProgram("dpkg", ["--print-architecture"]);
    profile = [
      ...["[archive]", "name = Debian", `url = ${await between.start()}`, "user-email = ftpmaster@debian.org"],
      ...["[trust]", "keyring = keyring", `seeds = ${seeds.join(", ")}`, "keyservers = none"],
      ...["[feed debian]", "format = apt", "path = .", "suite = bookworm", "components = main"],
      `architectures = ${stdout.trim()}`,
    ];
    await fs.writeFile(join(folder, "debian.ini"), `${profile.join("\n")}\n`);
    await asClient("state", (client) => client.update());
  });

  after(async () => {
    between?.stop();
    if (between !== undefined) await fs.rm(folder, { recursive: true, force: true });
  });

  /** Does it with a client of this state. */
  async function asClient<Result>(state: string, action: (client: Client) => Promise<Result>): Promise<Result> {
    await using client = await openClient({
      profile: join(folder, "debian.ini"),
      stateFolder: join(folder, state),
    });
    return await action(client);
  }

  /** Small packages from all over the alphabet. */
  async function choose(count: number): Promise<{ name: string; version: string }[]> {
    const { packages } = await asClient("state", (client) => client.list());
    const small = packages.filter(({ size }) => size !== null && size < 30_000);
    const step = Math.floor(small.length / count);
    return small.filter((_, place) => place % step === 0).slice(0, count);
  }

  it("gives 50 packages that are those of apt-get download, byte for byte", async () => {
    const chosen = await choose(50);
    const wanted = chosen.map(({ name, version }) => `${name}=${version}`);
    const [ours, theirs] = [join(folder, "ours"), join(folder, "theirs")];
    await fs.mkdir(theirs);
    await asClient("state", (client) => client.fetchAll(wanted, { folder: ours }));
    const apt = await runProgram("apt-get", ["download", "-q", "-o", "APT::Sandbox::User=root", ...wanted], {
      cwd: theirs,
    });
    expect(apt.status, apt.stderr).to.equal(0);
    // apt writes the colon of an epoch as %3a.
    const files = new Map((await fs.readdir(theirs)).map((file) => [file.replace(/_[^_]*%3a/, "_"), file]));
    const names = await fs.readdir(ours);
    expect(names.sort())
      .to.deep.equal([...files.keys()].sort())
      .and.have.length(50);
    for (const name of names) {
      const [one, other] = [
        await fs.readFile(join(ours, name)),
        await fs.readFile(join(theirs, files.get(name) ?? "")),
      ];
      expect(one.equals(other), name).to.equal(true);
    }
  });

  it("is refused where a byte was changed on the way, at each hop, and where another suite is served", async () => {
    const flip = (body: Buffer) => {
      const changed = Buffer.from(body);
      const middle = changed.length >> 1;
      changed.writeUInt8(changed.readUInt8(middle) ^ 1, middle);
      return changed;
    };
    const code = async (state: string, change: Change, action: (client: Client) => Promise<unknown>) => {
      if (between !== undefined) between.change = change;
      return await asClient(state, action).then(
        () => undefined,
        (error: unknown) => (error instanceof FeedkeyError ? error.code : error),
      );
    };
    const update = (client: Client) => client.update();
    const only =
      (what: RegExp): Change =>
      (path, body) =>
        what.test(path) ? flip(body) : body;
    expect(await code("fresh", only(/InRelease$/), update)).to.equal("bad_signature");
    expect(await code("fresh", only(/by-hash|Packages/), update)).to.equal("bad_index");
    const [{ name } = { name: "" }] = await choose(50);
    expect(
      await code("state", only(/\.deb$/), (client) => client.fetch(name, { folder: join(folder, "out") })),
    ).to.equal("digest_mismatch");
    expect(await fs.readdir(join(folder, "out")).catch(() => [])).to.deep.equal([]);
    const swapped = profile.map((line) => (line === "suite = bookworm" ? "suite = bookworm-updates" : line));
    await fs.writeFile(join(folder, "debian.ini"), `${swapped.join("\n")}\n`);
    const other = await fetchRelease();
    expect(await code("fresh", (path, body) => (path.endsWith("InRelease") ? other : body), update)).to.equal(
      "wrong_feed",
    );
    // The control: nothing was wrong but what was changed.
    await fs.writeFile(join(folder, "debian.ini"), `${profile.join("\n")}\n`);
    expect(await code("fresh", (_, body) => body, update)).to.equal(undefined);
  });

  async function fetchRelease(): Promise<Buffer> {
    const text = await fs.readFile(join(folder, "debian.ini"), "utf8");
    const url = /^url = (.*)$/m.exec(text)?.[1] ?? "";
    if (between !== undefined) between.change = (_, body) => body;
    return (await download(`${url}/dists/bookworm/InRelease`)) ?? Buffer.alloc(0);
  }
});
