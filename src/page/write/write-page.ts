/** Writes the trust page beside the key bundle. */
import { posix } from "node:path";
import { commitStaged } from "../../files/atomic.ts";
import { bundlePath } from "../../profile/layout.ts";
import type { Archive } from "../../publish/archive.ts";
import { PublishedTree } from "../../signing/published-tree.ts";
import { pageParts } from "../page-parts.ts";
import { pageFacts } from "./facts.ts";
import { pageHtml } from "./html.ts";

const name = "index.html";

/** The size limit of the page in bytes. It is far above any real page; the page grows with its picture of the chain. */
const mostBytes = 16 * 1024 * 1024;

/**
 * Writes the page if it changed.
 * @returns the page's path if the page was written, else undefined
 * @throws FeedkeyError `bad_path` or `output` if the page can't be written; the errors of `pageFacts`
 */
export async function writePage(archive: Archive): Promise<string | undefined> {
  const data = pageHtml(await pageFacts(archive), await pageParts());
  const folder = (await PublishedTree.open(archive.config.root)).folder(posix.dirname(bundlePath));
  const there = await folder.read(name, mostBytes);
  if (there?.toString("utf8") === data) return undefined;
  await folder.prepare();
  await commitStaged(await folder.stage([{ name, data }]));
  return posix.join(folder.path, name);
}
