/** Compares pkgsrc versions like pkg_install (dewey.c in pkg_install). */

interface Version {
  readonly parts: readonly bigint[];
  /** The number after `nb`, which is the package's own revision. The code compares this number last. */
  readonly revision: bigint;
}

// The order matters, because the parser uses the first match. A patch level (`pl`) counts as a dot. `pre` and `rc` count the same.
const modifiers: readonly [RegExp, bigint][] = [
  [/^alpha/i, -3n],
  [/^beta/i, -2n],
  [/^pre/i, -1n],
  [/^rc/i, -1n],
  [/^pl/i, 0n],
  [/^[_.]/, 0n],
];

function parse(version: string): Version {
  const parts: bigint[] = [];
  let revision = 0n;
  for (let rest = version; rest !== ""; ) {
    const number = /^\d+/.exec(rest)?.[0];
    const modifier = modifiers.find(([shape]) => shape.test(rest));
    const own = /^nb(\d*)/i.exec(rest);
    let length = 1;
    if (number !== undefined) {
      parts.push(BigInt(number));
      length = number.length;
    } else if (modifier !== undefined) {
      parts.push(modifier[1]);
      length = modifier[0].exec(rest)?.[0].length ?? 1;
    } else if (own !== null) {
      revision = BigInt(own[1] === "" ? 0 : (own[1] ?? 0));
      length = own[0].length;
    } else if (/^[a-z]/i.test(rest)) {
      // A letter counts as a dot and the letter's place in the alphabet. So 1.0b comes after 1.0.1.
      parts.push(0n, BigInt(rest.toLowerCase().charCodeAt(0) - 0x60));
    }
    rest = rest.slice(length);
  }
  return { parts, revision };
}

/** Returns a negative number if `a` is older, positive if `a` is newer, else 0. */
export function compareDewey(a: string, b: string): number {
  const [left, right] = [parse(a), parse(b)];
  for (let index = 0; index < Math.max(left.parts.length, right.parts.length); index++) {
    const difference = (left.parts[index] ?? 0n) - (right.parts[index] ?? 0n);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  const difference = left.revision - right.revision;
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}
