/** The script of the trust page. If anything fails, nothing counts as checked. */
import type { VerifiedIndex } from "../../client/verified-index.ts";
import type { ClaimedArchive } from "../check-archive.ts";
import { filesBelow, rootOf } from "./archive-files.ts";
import { checkFiles } from "./check-files.ts";
import { type Checked, checkKeys } from "./check-keys.ts";
import { found, made } from "./elements.ts";
import { fillSetUp, offerCopies } from "./set-up.ts";

const claimed = JSON.parse(found("archive", HTMLScriptElement).text) as ClaimedArchive;
const root = rootOf(location.href);
const source = filesBelow(root);

const form = found("check-form", HTMLFormElement);
const input = found("fingerprint", HTMLInputElement);
const button = found("check", HTMLButtonElement);
const summary = found("summary", HTMLElement);
const lines = found("lines", HTMLElement);
const zone = found("zone", HTMLElement);
const chooser = found("files", HTMLInputElement);
const fileLines = found("file-lines", HTMLElement);

/** The indexes of the feeds that passed the check with the fingerprint that is now in the form. */
let indexes: readonly VerifiedIndex[] = [];
let busy = false;

const summaries: Readonly<Record<Checked["mark"], readonly [string, string]>> = {
  good: ["The lists of packages fit your fingerprint", ""],
  refused: ["Refused: something does not fit your fingerprint", "See below what it is. "],
  unchecked: ["Not everything could be checked", "See below why. "],
};

function summarize(mark: Checked["mark"]): void {
  const [title, rest] = summaries[mark];
  const more = made("a", "", "what this page can't know");
  more.href = "#limits";
  const text = "Not checked: key servers, whether there are newer lists, and this page itself; see ";
  summary.className = `summary ${mark}`;
  summary.replaceChildren(made("h3", "", title), made("p", "", [rest + text, more, "."]));
}

/** Lets the visitor choose files if at least one index passed, because files are compared with these indexes. */
function allowFiles(): void {
  const isOff = indexes.length === 0;
  chooser.disabled = isOff;
  zone.classList.toggle("off", isOff);
  found("files-wait", HTMLElement).hidden = !isOff;
}

/** Removes all verdicts, because the fingerprint in the form is no longer the one that they are about. */
function forget(): void {
  indexes = [];
  allowFiles();
  summary.className = "summary";
  summary.replaceChildren(made("p", "", "Nothing has been checked yet."));
  lines.replaceChildren();
  fileLines.replaceChildren();
}

/** Runs an action; does nothing if another action is running. */
async function alone(action: () => Promise<void>): Promise<void> {
  if (busy) return;
  busy = true;
  button.disabled = true;
  input.readOnly = true;
  try {
    await action();
  } finally {
    busy = false;
    button.disabled = false;
    input.readOnly = false;
  }
}

async function check(): Promise<void> {
  forget();
  fillSetUp(root, input.value);
  summary.replaceChildren(made("p", "", "Checking…"));
  let checked: Checked = { indexes: [], mark: "unchecked" };
  try {
    checked = await checkKeys(claimed, input.value, source, (line) => lines.append(line));
  } finally {
    summarize(checked.mark);
  }
  indexes = checked.indexes;
  allowFiles();
}

function take(files: FileList | null | undefined): void {
  const given = [...(files ?? [])];
  if (given.length === 0 || indexes.length === 0) return;
  void alone(async () => {
    fileLines.replaceChildren();
    await checkFiles(given, indexes, (line) => fileLines.append(line));
  });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void alone(check);
});
input.addEventListener("input", () => {
  forget();
  fillSetUp(root, input.value);
});
chooser.addEventListener("change", () => {
  take(chooser.files);
});
for (const name of ["dragenter", "dragover"] as const) {
  zone.addEventListener(name, (event) => {
    event.preventDefault();
    zone.classList.toggle("over", indexes.length > 0);
  });
}
for (const name of ["dragleave", "drop"] as const) zone.addEventListener(name, () => zone.classList.remove("over"));
zone.addEventListener("drop", (event) => {
  event.preventDefault();
  take(event.dataTransfer?.files);
});
// If a visitor drops a file outside the zone for files, the browser would replace the page by this file.
for (const name of ["dragover", "drop"] as const) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
  });
}

forget();
fillSetUp(root, input.value);
offerCopies();
form.hidden = false;
