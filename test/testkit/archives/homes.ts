/** Machines and people, each with a key store of its own and nothing else in common but the files that are carried between them. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../../src/time.ts";
import { day } from "../dates.ts";
import { documentOf, type JsonDocument, runHere } from "../programs/command-line.ts";
import { archiveUserId } from "./opkg-archive.ts";

export class Home {
  readonly folder: string;
  readonly name: string;
  readonly key: string;

  private constructor(folder: string, name: string, key: string) {
    this.folder = folder;
    this.name = name;
    this.key = key;
  }

  /** Makes its key, of day 0, for five years; `args` are further options of `keygen`. */
  static async make(place: string, name: string, ...args: readonly string[]): Promise<Home> {
    const folder = join(place, `home-${name}`);
    const named = args.includes("--user-id") ? [] : ["--user-id", `${name} <${name}@build.example.org>`];
    const keygen = ["keygen", ...named, "--expires", "5y", ...args];
    const ended = await runHere(["--home", folder, "--json", "--at", iso(day(0)), ...keygen]);
    const document = documentOf(ended);
    expect(ended.status, document.error?.message).to.equal(0);
    return new Home(folder, name, String(document.fingerprint));
  }

  /** One that holds certificates and no key of its own. */
  static bare(place: string, name: string): Home {
    return new Home(join(place, `home-${name}`), name, "");
  }

  /** Somebody who got hold of a secret key, and knows nothing of what was delegated to it: nothing here keeps him from anything. */
  static async thiefOf(place: string, { folder, name, key }: Home): Promise<Home> {
    const thief = new Home(join(place, `home-thief-of-${name}`), `thief of ${name}`, key);
    await thief.do(day(0), "key", "import", join(folder, "private", `${key}.asc`));
    return thief;
  }

  async run(at: Instant, ...args: readonly string[]): Promise<{ status: number | null; document: JsonDocument }> {
    // Whoever works on files alone must not notice.
    const network = args.includes("--config") ? [] : ["--offline"];
    const ended = await runHere(["--home", this.folder, "--json", ...network, "--at", iso(at), ...args]);
    return { status: ended.status, document: documentOf(ended) };
  }

  /** Must do all that is asked. */
  async do(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const { status, document } = await this.run(at, ...args);
    expect({ status, error: document.error }, args.join(" ")).to.deep.equal({ status: 0, error: undefined });
    return document;
  }

  /** Must be refused. @returns message and hint */
  async refuses(code: string, at: Instant, ...args: readonly string[]): Promise<string> {
    const { status, document } = await this.run(at, ...args);
    expect({ code: document.error?.code, ok: document.ok }, document.error?.message).to.deep.equal({ code, ok: false });
    expect(status).to.not.equal(0);
    return `${document.error?.message}; ${document.error?.hint}`;
  }

  /** Its certificate, as a file to be carried. */
  async request(at: Instant): Promise<string> {
    const file = join(this.folder, "request.asc");
    await fs.writeFile(file, String((await this.do(at, "key", "export", this.key)).armored));
    return file;
  }

  /** Lets this key delegate to another machine's, which takes in what comes of it. @returns the certified file */
  async delegateTo(other: Home, at: Instant, ...terms: readonly string[]): Promise<string> {
    const file = join(other.folder, `by-${this.name}.asc`);
    const command = ["delegate", await other.request(at), "--key", this.key, "-o", file];
    await this.do(at, ...command, ...(terms.includes("--expires") ? [] : ["--expires", "90d"]), ...terms);
    await other.do(at, "key", "import", file);
    return file;
  }
}

/** A row of `delegate --status`. */
export interface DelegationRow {
  readonly delegate: string;
  readonly issuer: string;
  readonly feeds: readonly (readonly string[])[];
  readonly depth: number;
  readonly expiresAt: string;
  readonly state: string;
}

export function delegationsOf(document: JsonDocument): DelegationRow[] {
  return document.delegations as DelegationRow[];
}

/** An offline master that only certifies, a person, a machine. */
export interface Homes {
  readonly folder: string;
  readonly master: Home;
  readonly person: Home;
  readonly machine: Home;
}

export async function makeHomes(folder: string): Promise<Homes> {
  const master = await Home.make(folder, "master", "--user-id", archiveUserId, "--certify-only");
  return { folder, master, person: await Home.make(folder, "person"), machine: await Home.make(folder, "machine") };
}

/** Gives an action homes of its own, and no archive. */
export async function withHomes(action: (homes: Homes) => Promise<void>): Promise<void> {
  const folder = await fs.mkdtemp(join(tmpdir(), "feedkey-homes-"));
  try {
    await action(await makeHomes(folder));
  } finally {
    await fs.rm(folder, { recursive: true, force: true });
  }
}
