/** A keeper and a client of feeds whose indexes another program writes: what they share, whatever the format. */
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../../src/time.ts";
import { documentOf, type JsonDocument, runHere } from "../programs/command-line.ts";

type Said = JsonDocument & { readonly status: number | null };

/** A folder with a key store (`home`), a profile (`example.ini`) and the client's state (`state`). */
export abstract class SignedFolder {
  readonly folder: string;
  readonly key: string;

  constructor(folder: string, key: string) {
    this.folder = folder;
    this.key = key;
  }

  /** Runs the keeper's or the client's command. @returns its document, and its exit status */
  async run(at: Instant, ...args: readonly string[]): Promise<Said> {
    const isKeeper = args[0] === "sign";
    const place = isKeeper ? ["--home", join(this.folder, "home")] : ["--profile", join(this.folder, "example.ini")];
    const state = isKeeper || args[0] === "setup" ? [] : ["--state", join(this.folder, "state")];
    const ended = await runHere([...place, ...state, "--json", "--at", iso(at), ...args]);
    return { ...documentOf(ended), status: ended.status };
  }

  /** A command that must succeed. */
  async accept(at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const said = await this.run(at, ...args);
    expect({ status: said.status, error: said.error }, JSON.stringify(said)).to.deep.equal({
      status: 0,
      error: undefined,
    });
    return said;
  }

  /** A command that must be refused with this code. */
  async refuse(code: string, at: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const said = await this.run(at, ...args);
    const errors = (said.feeds as { error?: { code: string } }[] | undefined)?.flatMap(
      ({ error }) => error?.code ?? [],
    );
    expect(said.error?.code ?? errors?.[0], JSON.stringify(said)).to.equal(code);
    expect(said.status).to.not.equal(0);
    return said;
  }
}
