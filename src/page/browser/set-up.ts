/** The page's commands for copying, with the archive's address and the visitor's fingerprint filled in. */
import { hexDigits, isFingerprint } from "../../store/fingerprint.ts";
import { made } from "./elements.ts";

/**
 * Fills in the values that were unknown when feedkey wrote the page.
 * @param typed what the visitor typed as the fingerprint: any text
 */
export function fillSetUp(root: URL, typed: string): void {
  const digits = hexDigits(typed);
  const values: Readonly<Record<string, string>> = {
    url: root.href,
    fingerprint: isFingerprint(digits) ? digits : "FINGERPRINT",
  };
  for (const place of document.querySelectorAll<HTMLElement>("[data-fill]")) {
    place.textContent = values[place.dataset.fill ?? ""] ?? "";
  }
}

/** Adds a copy button to each block of commands. */
export function offerCopies(): void {
  // Browsers allow scripts to copy text only on pages that came over HTTPS.
  if (navigator.clipboard === undefined) return;
  for (const block of document.querySelectorAll("pre")) {
    const button = made("button", "copy", "Copy");
    button.type = "button";
    button.setAttribute("aria-label", `Copy the commands: ${block.dataset.title ?? ""}`);
    button.addEventListener("click", () => {
      void navigator.clipboard.writeText(block.textContent ?? "").then(
        () => {
          button.textContent = "Copied";
        },
        () => {
          button.textContent = "Not copied";
        },
      );
    });
    block.before(button);
  }
}
