/** Compares Debian-style versions, which opkg also uses (deb-version(7): epoch, upstream version, revision). */

function split(version: string): readonly [epoch: number, upstream: string, revision: string] {
  const colon = version.indexOf(":");
  const epoch = colon < 0 ? 0 : Number(version.slice(0, colon));
  const rest = version.slice(colon + 1);
  const dash = rest.lastIndexOf("-");
  return [Number.isNaN(epoch) ? 0 : epoch, dash < 0 ? rest : rest.slice(0, dash), dash < 0 ? "" : rest.slice(dash + 1)];
}

/** Returns a character's rank. `~` sorts first, even before the end of the text. Letters sort before all other characters. */
function weight(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined || /\d/.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return /[A-Za-z]/.test(character) ? code : code + 0x10000;
}

function comparePart(a: string, b: string): number {
  let left = a;
  let right = b;
  while (left !== "" || right !== "") {
    const [leftText = ""] = /^\D*/.exec(left) ?? [];
    const [rightText = ""] = /^\D*/.exec(right) ?? [];
    for (let i = 0; i < Math.max(leftText.length, rightText.length); i++) {
      const difference = weight(leftText[i]) - weight(rightText[i]);
      if (difference !== 0) return difference;
    }
    left = left.slice(leftText.length);
    right = right.slice(rightText.length);
    const [leftDigits = ""] = /^\d*/.exec(left) ?? [];
    const [rightDigits = ""] = /^\d*/.exec(right) ?? [];
    // The code compares numbers as text, because a number may be too long for JavaScript.
    const leftNumber = leftDigits.replace(/^0+/, "");
    const rightNumber = rightDigits.replace(/^0+/, "");
    if (leftNumber.length !== rightNumber.length) return leftNumber.length - rightNumber.length;
    if (leftNumber !== rightNumber) return leftNumber < rightNumber ? -1 : 1;
    left = left.slice(leftDigits.length);
    right = right.slice(rightDigits.length);
  }
  return 0;
}

/** Returns a negative number if `a` is older, positive if `a` is newer, else 0. */
export function compareVersions(a: string, b: string): number {
  const [epochA, upstreamA, revisionA] = split(a);
  const [epochB, upstreamB, revisionB] = split(b);
  return epochA - epochB || comparePart(upstreamA, upstreamB) || comparePart(revisionA, revisionB);
}
