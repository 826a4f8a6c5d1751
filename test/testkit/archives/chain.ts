/**
 * Keys of the testkit in the places where a client meets them: seeds in the profile's keyring, the rest in the archive's
 * bundle or on key servers. What becomes of them is asked of `chain` and `verify`.
 */
import * as fs from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { type Instant, iso } from "../../../src/time.ts";
import { type Chain, chainOf } from "../../life/client.ts";
import { archiveId, type CertificateOptions, certificate, type TestCertificate } from "../certificate.ts";
import { day } from "../dates.ts";
import { allFramed } from "../framing.ts";
import { ed25519Key, type TestKey } from "../keys.ts";
import { documentOf, runHere } from "../programs/command-line.ts";
import { authority } from "../servers/key-servers.ts";
import { certification, dataSignature } from "../signature.ts";
import { index, SignatureCase } from "./signed-index.ts";

/** Anything that can lie in a bundle or an answer. */
export interface Bytes {
  readonly bytes: Uint8Array;
}

export interface ChainOptions {
  readonly seeds: readonly TestCertificate[];
  /** What lies in the keyring; the seeds by default. */
  readonly keyring?: readonly TestCertificate[];
  /** In the archive's bundle: certificates, bare packets. */
  readonly bundle?: readonly Bytes[];
  /** In the bundle of a mirror; there is one if this is given. */
  readonly mirror?: readonly Bytes[];
  readonly servers?: readonly string[];
  /** Further lines of the section [trust]. */
  readonly trust?: readonly string[];
  /** An exact user ID that the profile asks for, instead of the address. */
  readonly userId?: string;
  readonly email?: string;
}

/** Where keys are judged unless a test says otherwise; indexes are signed an hour before. */
const judgedAt = day(20);
const hour = 3_600_000;

/** Changes what the profile of a signature case says. */
async function rewriteProfile(path: string, { servers = [], mirror, userId, email }: ChainOptions): Promise<void> {
  let text = await fs.readFile(path, "utf8");
  if (servers.length > 0) {
    text = text.replace("keyservers = none", `keyservers = ${servers.join(", ")}\nkeyserver-ca = ${authority}`);
  }
  if (mirror !== undefined) text = text.replace(/^(url = (.*[^/])\/?)$/m, "$1\nmirrors = $2/mirror/");
  if (userId !== undefined) text = text.replace(/^user-email = .*$/m, `user-id = ${userId}`);
  if (email !== undefined) text = text.replace(/^user-email = .*$/m, `user-email = ${email}`);
  await fs.writeFile(path, text);
}

export class ChainCase {
  readonly signatures: SignatureCase;

  private constructor(signatures: SignatureCase) {
    this.signatures = signatures;
  }

  static async make(options: ChainOptions): Promise<ChainCase> {
    const { seeds, keyring = seeds, bundle = [], trust = [] } = options;
    const made = new ChainCase(await SignatureCase.make({ certificates: keyring, seeds, trust }));
    await rewriteProfile(made.profile, options);
    await made.putBundle(bundle);
    if (options.mirror !== undefined) await made.putBundle(options.mirror, "mirror");
    return made;
  }

  get profile(): string {
    return join(this.signatures.folder, "example.ini");
  }

  /** Replaces the archive's bundle, or that of its mirror. */
  async putBundle(parts: readonly Bytes[], mirror = ""): Promise<void> {
    const folder = join(this.signatures.folder, mirror, "keys");
    await fs.mkdir(folder, { recursive: true });
    await fs.writeFile(join(folder, "archive-keyring.pgp"), Buffer.concat(parts.map(({ bytes }) => bytes)));
  }

  /** Arguments of a client's command. */
  args(at: Instant, ...args: readonly string[]): string[] {
    const state = join(this.signatures.folder, "state");
    return ["--profile", this.profile, "--state", state, "--json", "--at", iso(at), ...args];
  }

  async chain(at: Instant = judgedAt): Promise<Chain & { readonly warnings: readonly string[] }> {
    const ended = await runHere(this.args(at, "chain"));
    const document = documentOf(ended);
    expect({ status: ended.status, error: document.error }).to.deep.equal({ status: 0, error: undefined });
    return { ...chainOf(document), warnings: document.warnings ?? [] };
  }

  #signed(by: TestKey, at: Instant): Uint8Array {
    return allFramed([dataSignature({ by, at: at - hour, data: index, feed: "base" })]);
  }

  /** An index by that key verifies, and the chain says over which path. */
  async accepts({ key }: Pick<TestCertificate, "key">, via: readonly TestCertificate[], at = judgedAt): Promise<void> {
    const { trusted } = await this.chain(at);
    const expected = via.map(({ fingerprint }) => fingerprint);
    expect(trusted.get(key.fingerprint)?.via, "path").to.deep.equal(expected);
    await this.signatures.accept(this.#signed(key, at), at);
  }

  /** An index by that key is refused. @returns the reason that the chain gives against the key, if it does */
  async refuses({ key }: Pick<TestCertificate, "key">, code: string, at = judgedAt): Promise<string> {
    const document = await this.signatures.refuse(code, 1, this.#signed(key, at), at);
    const { rejected } = await this.chain(at);
    return rejected.get(key.fingerprint)?.reason ?? String(document.error?.details.because);
  }
}

/** Gives an action a case of its own. */
export async function withChain(options: ChainOptions, action: (chain: ChainCase) => Promise<void>): Promise<void> {
  const chain = await ChainCase.make(options);
  try {
    await action(chain);
  } finally {
    await chain.signatures.remove();
  }
}

/** A seed: a key of day 0 that its name determines. */
export function seedOf(name: string, options: Partial<CertificateOptions> = {}): TestCertificate {
  return certificate({ key: ed25519Key(`life ${name}`), ...options });
}

export type SuccessorOptions = Partial<CertificateOptions> & {
  /** Date of the certifications; day 11 by default. */
  readonly certifiedAt?: Instant;
};

/** A key of day 10, certified by others on day 11 unless told otherwise. */
export function successorOf(
  issuers: readonly Pick<TestCertificate, "key">[],
  name: string,
  options: SuccessorOptions = {},
): TestCertificate {
  const { certifiedAt = day(11), certifiedBy = [], ...rest } = options;
  const key = options.key ?? ed25519Key(`life ${name}`, { createdAt: day(10) });
  const made = issuers.map((issuer) => certification({ by: issuer.key, of: key, userId: archiveId, at: certifiedAt }));
  return certificate({ key, ...rest, certifiedBy: [...made, ...certifiedBy] });
}
