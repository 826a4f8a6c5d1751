/** `feedkey revoke`, `send` and `receive`. */
import { type Archive, knownCertificates, refreshBundle } from "../archive/archive.ts";
import { receiveCertificates } from "../archive/distribute.ts";
import { describeGenerations } from "../archive/orphans.ts";
import { applyRevocation, planRevocation, type RevokeReason, refuseOrphans } from "../archive/revoke.ts";
import { type OwnCertificate, ownCertificates } from "../archive/signing-key.ts";
import { nameOf, rootsOf } from "../archive/standing.ts";
import { takeIn } from "../archive/take-in.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import { isFingerprint } from "../store/fingerprint.ts";
import { KeyStore } from "../store/key-store.ts";
import { openArchive, type ServerOptions, spread, withKeyservers } from "./archive-terms.ts";
import type { Context } from "./context.ts";
import { type PassphraseOptions, passphraseSource } from "./passphrase.ts";
import type { Outcome } from "./run.ts";

export interface RevokeOptions extends PassphraseOptions, ServerOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly force?: boolean;
}

const reasons: readonly RevokeReason[] = ["compromised", "superseded", "retired", "unspecified"];

function reasonOf(text: string): RevokeReason {
  const found = reasons.find((reason) => reason === text);
  if (found !== undefined) return found;
  throw new FeedkeyError("usage", `there is no reason "${escapeText(text)}"`, {
    hint: `choose one of ${reasons.join(", ")}`,
  });
}

/** All keys of the archive; undefined, and the store's must do, where they can't be told: an emergency does not wait for gpg. */
async function knownTo(archive: Archive | undefined): Promise<ReadonlyMap<string, OwnCertificate> | undefined> {
  try {
    return archive === undefined ? undefined : (await knownCertificates(archive)).certificates;
  } catch (error) {
    if (error instanceof FeedkeyError) return undefined;
    throw error;
  }
}

/** The key servers must hear of a revocation, whatever is wrong with the bundle. */
async function writeBundle(archive: Archive | undefined): Promise<{ lines: string[]; errors: FeedkeyError[] }> {
  try {
    return { lines: archive === undefined ? [] : await refreshBundle(archive), errors: [] };
  } catch (error) {
    if (error instanceof FeedkeyError) return { lines: [], errors: [error] };
    throw error;
  }
}

/** Revokes a key, unless that orphans clients. @throws FeedkeyError `usage`, `not_found`, `bad_certificate`, `bad_config` */
export async function revoke(context: Context, fingerprint: string, options: RevokeOptions): Promise<Outcome> {
  const reason = reasonOf(options.reason);
  const store = await KeyStore.open(context.home);
  const name = await store.resolve(fingerprint);
  const archive = options.config === undefined ? undefined : await openArchive(context, options.config, options);
  // A delegate's clients look for the archive's name, which the keys above it carry.
  const [top] = rootsOf(await ownCertificates(store), name);
  const userId = archive?.config.userId ?? (top === undefined ? "" : nameOf(top));
  const known = await knownTo(archive);
  const terms = { fingerprint: name, reason, userId, at: context.at, passphrase: passphraseSource(options), known };
  const plan = await planRevocation(store, terms);
  const generations = describeGenerations(plan.generations);
  const json = { fingerprint: name, reason, generations: plan.generations };
  if (options.dryRun === true) {
    return { text: [`would revoke ${name} as ${reason}`, ...generations].join("\n"), json: { ...json, dryRun: true } };
  }
  refuseOrphans(plan, options.force === true);
  const revoked = await applyRevocation(plan, store);
  const bundle = await writeBundle(archive);
  const done = [...revoked, ...bundle.lines];
  const sent = await spread(context, options, [name]);
  if (archive?.config.key.fingerprint === name) {
    context.reporter.warn("archive.ini still names this key: clients refuse what it signs; name another, then publish");
  }
  return {
    text: [...generations, ...done, ...sent.lines].join("\n"),
    json: { ...json, done },
    errors: [...bundle.errors, ...sent.errors],
  };
}

async function resolveAll(store: KeyStore, fingerprints: readonly string[]): Promise<string[]> {
  return await Promise.all(fingerprints.map((one) => store.resolve(one)));
}

/** Puts keys on key servers and reads them back. @throws FeedkeyError `usage`, `not_found` */
export async function send(
  context: Context,
  fingerprints: readonly string[],
  options: ServerOptions,
): Promise<Outcome> {
  const names = await resolveAll(await KeyStore.open(context.home), fingerprints);
  const { sent, lines, errors } = await spread(context, options, names);
  if (sent.length === 0) {
    throw new FeedkeyError("usage", "no key server is named", {
      hint: "use --keyserver hkps://..., --config or --profile",
    });
  }
  const json = sent.map(({ server, fingerprint, error }) => ({ server, fingerprint, ok: error === undefined }));
  return { text: lines.join("\n"), json: { sent: json }, errors };
}

/** Takes what the servers say about keys into the key store: only what was verified. */
export async function receive(
  context: Context,
  fingerprints: readonly string[],
  options: ServerOptions,
): Promise<Outcome> {
  const store = await KeyStore.open(context.home);
  const names = fingerprints.map((text) => {
    const hex = text.replace(/\s/g, "").replace(/^0x/i, "").toUpperCase();
    if (isFingerprint(hex)) return hex;
    throw new FeedkeyError("usage", `"${escapeText(text)}" is not a full fingerprint`, {
      hint: "all 40 or 64 hex digits are needed",
    });
  });
  return await withKeyservers(context, options, async (servers, transport) => {
    if (servers.length === 0) {
      throw new FeedkeyError("usage", "no key server is named", {
        hint: "use --keyserver hkps://..., --config or --profile",
      });
    }
    const held = new Map([...(await ownCertificates(store))].map(([name, { raw }]) => [name, raw]));
    const received = await receiveCertificates(servers, names, held, transport);
    const taken = await takeIn(store, received);
    const own = await ownCertificates(store);
    const lines = [...taken.keys()].map((name) => {
      return `${name}  ${escapeText(own.get(name)?.facts.userIds[0]?.text ?? "(no user ID)")}`;
    });
    return { text: lines.join("\n"), json: { received: names } };
  });
}
