/**
 * Runs `feedkey list`, `feedkey search` and `feedkey show`: these commands show what the last accepted indexes list, and ask no
 * server.
 */

import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import type { ListedPackage } from "../../index.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { table } from "../table.ts";

interface ListOptions {
  readonly feed?: string[];
}

/** Lists the packages whose names match the patterns. @throws FeedkeyError `usage`, `not_found` */
export async function list(
  context: Context,
  patterns: readonly string[],
  { feed: feeds }: ListOptions,
): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { packages, errors } = await client.list({ patterns, feeds, partial: true });
    const rows = packages.map(({ name, version, size, feed }) => {
      return [escapeText(name), escapeText(version), size === null ? "-" : String(size), feed];
    });
    const text = rows.length === 0 ? "" : table(["package", "version", "bytes", "feed"], rows);
    const quiet = packages.map(({ name }) => escapeText(name)).join("\n");
    return { text, quiet, json: { packages }, errors };
  });
}

/** Lists the packages whose name or description contains all the words. @throws FeedkeyError `usage`, `not_found` */
export async function search(
  context: Context,
  words: readonly string[],
  { feed: feeds }: ListOptions,
): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { packages, errors } = await client.list({ words, feeds, partial: true });
    const rows = packages.map(({ name, version, feed, description }) => {
      return [escapeText(name), escapeText(version), feed, escapeText(description ?? "-")];
    });
    const text = rows.length === 0 ? "" : table(["package", "version", "feed", "description"], rows);
    const quiet = packages.map(({ name }) => escapeText(name)).join("\n");
    return { text, quiet, json: { packages }, errors };
  });
}

/** Shows everything that the indexes say about one package. @throws FeedkeyError `usage`, `not_found` */
export async function show(context: Context, name: string, { feed: feeds }: ListOptions): Promise<Outcome> {
  return await context.withClient(async (client) => {
    const { packages, feeds: indexes, errors } = await client.list({ patterns: [name], feeds, partial: true });
    if (packages.length === 0 && errors.length === 0)
      throw unlisted(
        name,
        indexes.map((index) => index.name),
      );
    const signed = new Map(indexes.map((index) => [index.name, index]));
    const shown = packages.map((one) => {
      const { signedAt = null, signers = [] } = signed.get(one.feed) ?? {};
      return { ...one, signedAt, signers };
    });
    return { text: shown.map(paragraph).join("\n\n"), json: { packages: shown }, errors };
  });
}

function unlisted(name: string, feeds: readonly string[]): FeedkeyError {
  return new FeedkeyError("not_found", `no accepted index lists package "${escapeText(name)}"`, {
    details: { package: name, feeds },
    hint: 'if the package is new, run "feedkey update" first; "feedkey list \'*PART*\'" finds packages by a part of their names',
  });
}

function paragraph(one: ListedPackage & { signedAt: string | null; signers: readonly string[] }): string {
  const rows = [
    ["package", one.name],
    ["version", one.version],
    ...(one.architecture === "" ? [] : [["architecture", one.architecture]]),
    ...(one.description === null ? [] : [["description", one.description]]),
    ["feed", one.feed],
    ["file", one.filename ?? "none in the index"],
    ["bytes", one.size === null ? "none in the index" : String(one.size)],
    ["sha256", one.sha256 ?? "none in the index: it can't be fetched"],
    ["index signed", `${one.signedAt ?? "-"} by ${one.signers.join(", ")}`],
  ];
  return rows.map(([label = "", value = ""]) => `${label.padEnd(14)}${escapeText(value)}`).join("\n");
}
