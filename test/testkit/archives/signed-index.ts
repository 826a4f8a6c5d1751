/** An index beside whatever signature a test makes, judged by the real `verify` over a profile with testkit keys. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../../src/time.ts";
import type { TestCertificate } from "../certificate.ts";
import { day } from "../dates.ts";
import { documentOf, type JsonDocument, runHere } from "../programs/command-line.ts";
import { snapshot } from "../snapshot.ts";

export const index = Buffer.from(`Package: alpha
Version: 1.0-1
Filename: alpha_1.0-1_all.ipk
Size: 3
SHA256sum: ${"ab".repeat(32)}

`);

/** When the indexes of these tests are signed. */
export const signed = day(10);

export interface Keys {
  /** All certificates of the keyring. */
  readonly certificates: readonly TestCertificate[];
  /** The first certificate by default. */
  readonly seeds?: readonly TestCertificate[];
  /** Further lines of the section [trust]. */
  readonly trust?: readonly string[];
}

export class SignatureCase {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(keys: Keys): Promise<SignatureCase> {
    const signatureCase = new SignatureCase(await fs.mkdtemp(join(tmpdir(), "feedkey-case-")));
    await signatureCase.#write(keys);
    return signatureCase;
  }

  get index(): string {
    return join(this.folder, "Packages");
  }

  async #write({ certificates, seeds = certificates.slice(0, 1), trust = [] }: Keys): Promise<void> {
    await fs.mkdir(join(this.folder, "keyring"));
    for (const { fingerprint, bytes } of certificates) {
      await fs.writeFile(join(this.folder, "keyring", `${fingerprint}.pgp`), bytes);
    }
    const lines = ["[archive]", "name = Example", `url = file://${this.folder}/`, "user-email = archive@example.org"];
    lines.push("[trust]", "keyring = keyring", `seeds = ${seeds.map((seed) => seed.fingerprint).join(", ")}`);
    lines.push("keyservers = none", ...trust, "[feed base]", "format = opkg", "path = .");
    await fs.writeFile(join(this.folder, "example.ini"), `${lines.join("\n")}\n`);
    await fs.writeFile(this.index, index);
  }

  /** Runs `verify` on the index with a signature file of these bytes. */
  async verify(signature: Uint8Array | string, at: Instant = day(20), ...args: readonly string[]) {
    const file = join(this.folder, "signature");
    await fs.writeFile(file, signature);
    const global = ["--profile", join(this.folder, "example.ini"), "--state", join(this.folder, "state")];
    const command = ["verify", this.index, "--signature", file, ...args];
    return await runHere([...global, "--json", "--at", iso(at), ...command]);
  }

  async accept(signature: Uint8Array | string, at?: Instant, ...args: readonly string[]): Promise<JsonDocument> {
    const ended = await this.verify(signature, at, ...args);
    const document = documentOf(ended);
    expect({ status: ended.status, error: document.error }).to.deep.equal({ status: 0, error: undefined });
    return document;
  }

  /** The signature must be refused with this code, and no index become the last accepted one. */
  async refuse(code: string, status: number, signature: Uint8Array | string, at?: Instant): Promise<JsonDocument> {
    const before = await snapshot(join(this.folder, "state", "example", "feeds"));
    const ended = await this.verify(signature, at);
    const document = documentOf(ended);
    const said = { code: document.error?.code, status: ended.status, ok: document.ok };
    expect(said, document.error?.message).to.deep.equal({ code, status, ok: false });
    expect(document).to.not.have.property("signatures");
    expect(await snapshot(join(this.folder, "state", "example", "feeds"))).to.deep.equal(before);
    return document;
  }

  async remove(): Promise<void> {
    await fs.rm(this.folder, { recursive: true, force: true });
  }
}

/** Gives an action a case of its own. */
export async function withKeys(keys: Keys, action: (signatureCase: SignatureCase) => Promise<void>): Promise<void> {
  const signatureCase = await SignatureCase.make(keys);
  try {
    await action(signatureCase);
  } finally {
    await signatureCase.remove();
  }
}
