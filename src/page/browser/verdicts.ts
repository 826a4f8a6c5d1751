/** Shows verdicts as lines on the page. Each line has a mark with a word beside it, a sentence, and advice what to do. */
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { type Mark, wordsOf } from "../words.ts";
import { made } from "./elements.ts";

const signs = { good: ["✓", "Good"], refused: ["✗", "Refused"], unchecked: ["?", "Not checked"] } as const;

/** Makes a line for the list of verdicts. */
export function line(mark: Mark | "good", what: string, more: readonly Node[]): HTMLLIElement {
  const [sign, word] = signs[mark];
  const shown = made("span", "sign", sign);
  shown.setAttribute("aria-hidden", "true");
  const head = made("p", "what", [made("strong", "", `${word}: `), escapeText(what)]);
  return made("li", mark, [shown, made("div", "said", [head, ...more])]);
}

/**
 * Makes a line that says in plain words what went wrong; the details are folded. An unexpected failure of the page also counts as not good.
 */
export function refusalLine(
  what: string,
  error: unknown,
  about: "fingerprint" | "signed" = "signed",
): { readonly mark: Mark; readonly line: HTMLLIElement } {
  const known = error instanceof FeedkeyError;
  const words = known
    ? wordsOf(error.code, about)
    : { mark: "unchecked" as const, title: "This page failed", advice: "So nothing is known. Use feedkey itself." };
  const reason = known ? `${error.code}: ${error.message}` : String(error);
  const details = made("details", "", [made("summary", "", "Details"), made("p", "", escapeText(reason))]);
  const advice = made("p", "", words.advice);
  return { mark: words.mark, line: line(words.mark, `${what}: ${words.title}`, [advice, details]) };
}
