/** Runs `feedkey key list|show`: shows the contents of the key store. */

import { escapeText } from "../../escape.ts";
import type { KeyDetails, SubkeyRecord } from "../../index.ts";
import { scopeText } from "../../keeper/words.ts";
import { iso } from "../../time.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";
import { keeperOf, type WarnOptions, warningTime } from "./archive-terms.ts";
import { delegationJson } from "./delegate-status.ts";

const date = (at: number | undefined) => (at === undefined ? null : iso(at));

/** Lists the keys in the key store with what each key may do today, the newest key last. */
export async function list(context: Context, options: WarnOptions): Promise<Outcome> {
  const { store, keys: keyring } = await keeperOf(context, {});
  const { keys: records } = await keyring.list({ warnWithin: warningTime(options) });
  const keys = records.map(({ createdAt, expiresAt, refused, ...key }) => {
    return { ...key, createdAt: iso(createdAt), expiresAt: date(expiresAt), state: refused ?? "in force" };
  });
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

const secretWords = { all: "here", subkeys: "here, without the primary key's", none: "not here" } as const;

function subkeyLines(subkeys: readonly SubkeyRecord[]): string[][] {
  return subkeys.map(({ fingerprint, algorithm, expiresAt, secret, signs, refused }) => {
    const words = [
      algorithm,
      signs ? "signs" : "does not sign",
      expiresAt === undefined ? "never expires" : `until ${iso(expiresAt)}`,
      secret ? "its secret is here" : "its secret is not here",
      ...(signs ? [refused ?? "in force"] : []),
    ];
    return ["subkey", fingerprint, `(${words.join(", ")})`];
  });
}

function describe(key: KeyDetails): string {
  const lock = key.isLocked === undefined ? "" : key.isLocked ? ", locked with a passphrase" : ", no passphrase";
  const rows = [
    ["fingerprint", key.fingerprint],
    ...key.userIds.map((userId) => ["user ID", escapeText(userId)]),
    ["algorithm", key.algorithm],
    ["made", iso(key.createdAt)],
    ["expires", date(key.expiresAt) ?? "never"],
    ["state", escapeText(key.refused ?? "in force")],
    ["secret key", `${secretWords[key.secrets]}${lock}`],
    ["revocations", key.revocations.length === 0 ? "none here" : `here: ${key.revocations.join(", ")}`],
    ...subkeyLines(key.subkeys),
    ...key.certifiedBy.map((one) => ["certified by", one]),
    ...key.certified.map((one) => ["certified", one]),
    ...key.delegations.map(({ issuer, delegate, feeds, expiresAt, refused }) => {
      const words = `for ${escapeText(scopeText(feeds))} until ${iso(expiresAt)}: ${escapeText(refused ?? "in force")}`;
      return issuer === key.fingerprint ? ["delegated to", delegate, words] : ["delegate of", issuer, words];
    }),
  ];
  return rows.map(([label = "", ...words]) => `${label.padEnd(14)}${words.join(" ")}`).join("\n");
}

/** Shows all data about one key in the key store. @throws FeedkeyError `usage`, `not_found`, `bad_config` */
export async function show(context: Context, fingerprint: string): Promise<Outcome> {
  const key = await (await keeperOf(context, {})).keys.show(fingerprint);
  const { createdAt, expiresAt, refused, isLocked, subkeys, delegations, ...rest } = key;
  const dated = (one: Pick<SubkeyRecord, "createdAt" | "expiresAt" | "refused">) => {
    return { createdAt: iso(one.createdAt), expiresAt: date(one.expiresAt), state: one.refused ?? "in force" };
  };
  return {
    text: describe(key),
    json: {
      ...rest,
      ...dated({ createdAt, expiresAt, refused }),
      locked: isLocked ?? null,
      subkeys: subkeys.map(({ createdAt: made, expiresAt: ends, refused: why, ...subkey }) => {
        return { ...subkey, ...dated({ createdAt: made, expiresAt: ends, refused: why }) };
      }),
      delegations: delegations.map(delegationJson),
    },
  };
}
