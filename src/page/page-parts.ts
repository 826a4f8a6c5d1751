/**
 * Reads the files that the build made for the trust page (`build/page.mjs`). This module has the same depth below the project's folder as
 * the bundled program, so that the same relative path leads to the files in both.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { FeedkeyError } from "../error.ts";

/** The script and the style sheet, as the build made them. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** Reads the page's files. @throws FeedkeyError `internal` if a file is missing */
export async function pageParts(): Promise<PageParts> {
  const read = async (name: string) => {
    return await readFile(fileURLToPath(new URL(`../bundle/${name}`, import.meta.url)), "utf8").catch((cause) => {
      throw new FeedkeyError("internal", `the trust page's ${name} is missing from this installation`, { cause });
    });
  };
  return { script: await read("page.js"), style: await read("page-style.css") };
}
