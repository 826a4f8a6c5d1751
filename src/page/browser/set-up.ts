/** Commands to copy: with the archive's address, and the fingerprint that the visitor has. */
import { hexDigits, isFingerprint } from "../../store/fingerprint.ts";
import { made } from "./elements.ts";

/** Fills in what the page could not know when it was written. @param typed may be anything */
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

/** A button for each block of commands. */
export function offerCopies(): void {
  // Browsers allow it on pages by HTTPS alone.
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
