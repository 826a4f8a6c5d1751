/** A mirror on loopback: serves a copy of an archive as it was when it last synced, or whatever a test puts there. */
import * as fs from "node:fs/promises";
import { join, sep } from "node:path";
import { type Behaviour, type MisbehavingServer, plain, startMisbehaving } from "./misbehaving-server.ts";

export class Mirror {
  readonly #behaviours: Record<string, Behaviour>;
  readonly #server: MisbehavingServer;

  private constructor(behaviours: Record<string, Behaviour>, server: MisbehavingServer) {
    this.#behaviours = behaviours;
    this.#server = server;
  }

  static async start(folder: string): Promise<Mirror> {
    const behaviours: Record<string, Behaviour> = Object.create(null);
    const mirror = new Mirror(behaviours, await startMisbehaving(behaviours));
    await mirror.sync(folder);
    return mirror;
  }

  get url(): string {
    return this.#server.url.href;
  }

  /** Paths asked for so far, oldest first, without the leading slash. */
  get asked(): string[] {
    return this.#server.requests.map((request) => decodeURIComponent(/^\S+ \/(\S*)/.exec(request)?.[1] ?? ""));
  }

  /** Whole request heads. */
  get requests(): readonly string[] {
    return this.#server.requests;
  }

  /** Forgets what was asked and what tests put here, and copies the archive anew. */
  async sync(folder: string): Promise<void> {
    this.#server.requests.length = 0;
    for (const path of Object.keys(this.#behaviours)) delete this.#behaviours[path];
    for (const entry of await fs.readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const path = join(entry.parentPath, entry.name);
      this.put(path.slice(folder.length + 1).replaceAll(sep, "/"), await fs.readFile(path));
    }
  }

  put(path: string, bytes: Uint8Array | string): void {
    this.behave(path, plain(200, bytes));
  }

  drop(path: string): void {
    this.behave(path, plain(404, "not found"));
  }

  /** Answers a path in a way of its own. */
  behave(path: string, behaviour: Behaviour): void {
    this.#behaviours[`/${path.split("/").map(encodeURIComponent).join("/")}`] = behaviour;
  }

  /** Answers every path it knows in the same way. */
  behaveEverywhere(behaviour: Behaviour): void {
    for (const path of Object.keys(this.#behaviours)) this.#behaviours[path] = behaviour;
  }

  /** From now on, a fault answers some of the requests. @param fault gets the path and the number of the request, from 0 */
  disturb(fault: (path: string, request: number) => Behaviour | undefined): void {
    let count = 0;
    for (const [path, usual] of Object.entries(this.#behaviours)) {
      this.#behaviours[path] = (...terms) => (fault(path.slice(1), count++) ?? usual)(...terms);
    }
  }

  async close(): Promise<void> {
    await this.#server.close();
  }
}
