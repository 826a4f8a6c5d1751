/** The page's second check: compares files that the visitor has with the feeds that passed the first check. */
import type { VerifiedIndex } from "../../client/verified-index.ts";
import { findListing } from "../check-archive.ts";
import { digestOf } from "../file-digest.ts";
import { sizeText } from "../words.ts";
import { found, made } from "./elements.ts";
import { line, refusalLine } from "./verdicts.ts";

/** Waits until the browser has handled clicks and keys and drawn the page. */
function pause(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Shows how much of a file has been read: with a progress bar, and with a sentence for screen readers at each tenth. */
function progressFor({ name, size }: File): (done: number) => void {
  const bar = found("progress-bar", HTMLProgressElement);
  const text = found("progress-text", HTMLElement);
  bar.max = Math.max(size, 1);
  bar.value = 0;
  let said = -1;
  return (done) => {
    bar.value = done;
    const tenth = Math.floor((done / Math.max(size, 1)) * 10);
    if (tenth === said) return;
    said = tenth;
    text.textContent = `Reading ${name}: ${tenth * 10} % of ${sizeText(size)}`;
  };
}

async function fileLine(file: File, indexes: readonly VerifiedIndex[]): Promise<HTMLLIElement> {
  try {
    const digest = await digestOf(file, progressFor(file), pause);
    const { feed } = findListing(indexes, file.name, digest);
    const said = `It is, byte for byte, the file that feed “${feed.name}” lists.`;
    const sum = made("p", "by", ["SHA-256 ", made("code", "", digest.sha256)]);
    return line("good", `${file.name} (${sizeText(file.size)})`, [made("p", "", said), sum]);
  } catch (error) {
    return refusalLine(file.name, error).line;
  }
}

/**
 * Checks files, one after the other.
 * @param show adds a line to the page
 */
export async function checkFiles(
  files: readonly File[],
  indexes: readonly VerifiedIndex[],
  show: (line: HTMLLIElement) => void,
): Promise<void> {
  const progress = found("progress", HTMLElement);
  progress.hidden = false;
  try {
    for (const file of files) show(await fileLine(file, indexes));
  } finally {
    progress.hidden = true;
    found("progress-text", HTMLElement).textContent = "";
  }
}
