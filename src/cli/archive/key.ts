/** `feedkey key list|export|import|backup|restore`: looking after the key store. */
import { resolve } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { warnOfModes } from "../../files/modes.ts";
import { backupStore, restoreStore } from "../../keys/backup.ts";
import { endsOfAll, lookAhead } from "../../keys/ends-ahead.ts";
import type { Change } from "../../keys/import-changes.ts";
import { type Imported, importKey } from "../../keys/import-key.ts";
import { algorithmName, byAge } from "../../keys/key-names.ts";
import { writeCertificate } from "../../openpgp/certificate/certificate.ts";
import { armor } from "../../openpgp/packet/armor.ts";
import { ownCertificates } from "../../signing/signing-key.ts";
import { KeyStore } from "../../store/key-store.ts";
import { iso } from "../../time.ts";
import { algorithmUntil } from "../../trust/expiry-forecast.ts";
import { primaryState, refusePrimary } from "../../trust/key-state.ts";
import type { Context } from "../context.ts";
import { type PassphraseOptions, passphraseSource } from "../passphrase.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";
import { keeperOf, readInput, type ServerOptions, type WarnOptions, warningTime } from "./archive-terms.ts";

/** The keys of the key store, the newest last, with what each may do today. */
export async function list(context: Context, options: WarnOptions = {}): Promise<Outcome> {
  const ahead = lookAhead(context.at, warningTime(options));
  const store = await KeyStore.open(context.home);
  const keys = [];
  const own = await ownCertificates(store);
  for (const { facts } of [...own.values()].sort(byAge)) {
    const { fingerprint } = facts.primary;
    const state = primaryState(facts, context.at);
    const refused = refusePrimary(facts, context.at);
    keys.push({
      fingerprint,
      userId: facts.userIds[0]?.text ?? "",
      algorithm: algorithmName(facts.primary),
      createdAt: iso(facts.primary.createdAt),
      expiresAt: "code" in state || state.expiresAt === undefined ? null : iso(state.expiresAt),
      algorithmUntil: algorithmUntil(facts.primary),
      secret: await store.hasPrivate(fingerprint),
      state: refused?.reason ?? "in force",
    });
  }
  // Of keys whose secret is elsewhere others take care; what they delegated is looked at all the same.
  const secrets = keys.filter(({ secret }) => secret).map(({ fingerprint }) => fingerprint);
  for (const { text } of endsOfAll(own, secrets, undefined, ahead)) context.reporter.warn(text);
  const rows = keys.map((key) => {
    return [
      key.fingerprint,
      escapeText(key.userId),
      key.algorithm,
      key.expiresAt?.slice(0, 10) ?? "never",
      key.secret ? "yes" : "no",
      key.state,
    ];
  });
  const head = ["fingerprint", "user ID", "algorithm", "expires", "secret", "state"];
  return {
    text: rows.length === 0 ? `no keys in ${escapeText(store.folder)}` : table(head, rows),
    json: { home: store.folder, keys },
  };
}

/** The certificates named, or all, armored. @throws FeedkeyError `not_found` */
export async function exportKeys(context: Context, fingerprints: readonly string[]): Promise<Outcome> {
  const store = await KeyStore.open(context.home);
  const own = await ownCertificates(store);
  const names =
    fingerprints.length === 0 ? [...own.keys()] : await Promise.all(fingerprints.map((one) => store.resolve(one)));
  const bytes = Buffer.concat(
    names.flatMap((name) => (own.has(name) ? writeCertificate(own.get(name)?.raw ?? never()) : [])),
  );
  const armored = armor(bytes, "PUBLIC KEY BLOCK");
  return { text: armored.trimEnd(), json: { fingerprints: names, armored } };
}

function never(): never {
  throw new FeedkeyError("internal", "a certificate vanished between two looks");
}

export interface ImportOptions extends PassphraseOptions, ServerOptions {}

/** @param state why the key may do nothing; undefined if it may */
function describeImported({ fingerprint, secret, news }: Imported, state: string | undefined): string {
  const what = secret ? "secret key and certificate" : "certificate";
  return `${fingerprint}  ${what}${news ? "" : ", nothing new"}${state === undefined ? "" : `: ${state}`}`;
}

/**
 * Takes in keys made elsewhere; with a configuration, the archive's publisher hands them on.
 * @throws FeedkeyError `not_found`, `bad_certificate`, `bad_config` (passphrase)
 */
export async function importKeys(context: Context, files: readonly string[], options: ImportOptions): Promise<Outcome> {
  const store = await KeyStore.open(context.home);
  const imported: Imported[] = [];
  const changes: Change[] = [];
  for (const file of files) {
    const found = await importKey(store, await readInput(file), context.at, passphraseSource(options));
    for (const one of found.imported) imported.push(one);
    for (const one of found.changes) changes.push(one);
    for (const one of found.withoutPrimary) {
      context.reporter.warn(
        `${one} came without its primary key's secret: it signs here, and can't be revoked from here`,
      );
    }
  }
  const names = [...new Set(imported.map(({ fingerprint }) => fingerprint))];
  const { done: lines, errors } = await (await keeperOf(context, options)).handOn(names, { partial: true });
  // Somebody who brings a revocation wants to see that it has taken effect.
  const own = await ownCertificates(store);
  const described = imported.map((one) => {
    const facts = own.get(one.fingerprint)?.facts;
    return describeImported(one, facts && refusePrimary(facts, context.at)?.reason);
  });
  const changed = changes.map(({ fingerprint, text }) => `${fingerprint}  ${escapeText(text)}`);
  return { text: [...described, ...changed, ...lines].join("\n"), json: { imported, changes }, errors };
}

async function warnAbout({ reporter }: Context, folder: string): Promise<void> {
  const warning = await warnOfModes(folder);
  if (warning !== undefined) reporter.warn(escapeText(warning));
}

/** Copies the key store and reads the copy back. @throws FeedkeyError `output` */
export async function backup(context: Context, folder: string): Promise<Outcome> {
  const names = await backupStore(await KeyStore.open(context.home), folder);
  await warnAbout(context, resolve(folder));
  return {
    text: `copied ${names.length} keys to ${escapeText(resolve(folder))} and read them back`,
    json: { folder: resolve(folder), keys: names },
  };
}

/** Brings a backup back. @throws FeedkeyError `not_found`: the folder holds none */
export async function restore(context: Context, folder: string): Promise<Outcome> {
  await warnAbout(context, resolve(folder));
  const { restored, kept } = await restoreStore(await KeyStore.open(context.home), resolve(folder));
  const lines = [...restored.map((name) => `${name}  restored`), ...kept.map((name) => `${name}  was there`)];
  return { text: lines.join("\n"), json: { restored, kept } };
}
