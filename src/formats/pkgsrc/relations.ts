/** Reads the dependencies of pkgsrc packages: DEPENDS, with pkg_install's patterns (pkg_info(1), "Package wildcards"; lib/opattern.c). */
import { type Capability, isOperatorMet, type Related, type Relations, type Requirement } from "../relations.ts";
import { compareDewey } from "./dewey.ts";
import { matchesGlob } from "./glob.ts";
import { readSummary } from "./summary-stanza.ts";

/** The limit for alternatives in a pattern. No real pattern has more alternatives. */
const maxAlternatives = 256;

/**
 * Expands `a{b,c}d` into `abd` and `acd`; returns undefined for a pattern with too many alternatives, or with
 * unbalanced braces.
 */
function alternatives(pattern: string): string[] | undefined {
  const done: string[] = [];
  const open = [pattern];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    // The loop expands the innermost braces first.
    const [whole, inner = ""] = /\{([^{}]*)\}/.exec(next) ?? [];
    if (whole === undefined) done.push(next);
    else for (const one of inner.split(",").reverse()) open.push(next.replace(whole, () => one));
    if (done.length + open.length > maxAlternatives) return undefined;
  }
  return done.some((one) => /[{}]/.test(one)) ? undefined : done;
}

const dewey = /^([^<>]+)(>=|>|<=|<)([^<>]+)(?:(<=|<)([^<>]+))?$/;

function requirement(text: string): Requirement {
  const [, name, low = "", from = "", high = "", to = ""] = dewey.exec(text) ?? [];
  if (name !== undefined) {
    const isIn = (version: string, operator: string, bound: string) =>
      operator === "" || isOperatorMet(operator, compareDewey(version, bound));
    return { text, names: [name], isMetBy: ({ version = "" }) => isIn(version, low, from) && isIn(version, high, to) };
  }
  // As in pkg_install, a pattern may leave out the version.
  const isMetBy = ({ name: base, version }: Capability) => {
    return [text, `${text}-[0-9]*`].some((glob) => matchesGlob(`${base}-${version}`, glob));
  };
  const [, before] = /^([^*?[\]]*)-(?:\[0-9\]|\d)/.exec(text) ?? [];
  const names = [...(/[*?[]/.test(text) ? [] : [text]), ...(before === undefined ? [] : [before])];
  return { text, names: names.length === 0 ? undefined : names, isMetBy };
}

function* readRelations(text: Uint8Array): Generator<Related, void> {
  for (const piece of readSummary(text)) {
    if (piece.kind === "blank") continue;
    const all = (name: string) =>
      piece.variables.filter((one) => one.name === name).map(({ value }) => Buffer.from(value).toString("utf8"));
    const [full = ""] = all("PKGNAME");
    const dash = full.lastIndexOf("-");
    const [name, version] = [full.slice(0, dash), full.slice(dash + 1)];
    yield {
      ...{ name, version, architecture: all("MACHINE_ARCH")[0] ?? "", offers: [{ name, version }] },
      needs: () => all("DEPENDS").map((need) => (alternatives(need) ?? [need]).map(requirement)),
    };
  }
}

export const relations: Relations = { anyMachine: "any", read: readRelations };
