/** Reads the dependencies and capabilities of rpm packages: `rpm:requires`, `rpm:provides` and the files that primary.xml lists. */
import { type Capability, isOperatorMet, type Related, type Relations, type Requirement } from "../relations.ts";
import { type RpmEntry, readRelated } from "./primary.ts";
import { compareVersions } from "./version.ts";

const operators: Readonly<Record<string, string>> = { EQ: "=", LT: "<", LE: "<=", GT: ">", GE: ">=" };

const withoutRelease = (version: string) => version.replace(/-[^-]*$/, "");

/** Compares versions. Like rpm, compares the releases only if both versions have a release. */
function compare(offered: string, wanted: string): number {
  if (wanted.includes("-") && offered.includes("-")) return compareVersions(offered, wanted);
  return compareVersions(withoutRelease(offered), withoutRelease(wanted));
}

/** Returns a requirement for one name. A capability without a version meets a requirement for any version. */
function single(name: string, operator: string, wanted: string, text: string): Requirement {
  const isMetBy = ({ version }: Capability) => {
    return operator === "" || version === undefined || isOperatorMet(operator, compare(version, wanted));
  };
  return { text, names: [name], isMetBy };
}

/**
 * Returns the requirements in a rich dependency: `(A or B)`, `(A and B)`, `(A with B)`. Returns nothing for a conditional
 * dependency such as `(A if B)`, because the dependency applies only if B is installed.
 */
function rich(text: string): Requirement[][] {
  const inner = text.slice(1, -1);
  if (/[()]/.test(inner.replace(/\w\([^() ]*\)(\([^() ]*\))?/g, "")) || / (if|unless|without) /.test(inner)) return [];
  const isOr = / or /.test(inner);
  if (isOr && / (and|with) /.test(inner)) return [];
  const parts = inner.split(/ (?:or|and|with) /).map((part) => {
    const [name = "", operator = "", wanted = ""] = part.trim().split(/\s+/);
    return single(name, operator, wanted, text);
  });
  return isOr ? [parts] : parts.map((part) => [part]);
}

function needsOf({ name, flags, version }: RpmEntry): Requirement[][] {
  // An `rpmlib(...)` dependency names a feature of rpm itself, not a package.
  if (name.startsWith("rpmlib(")) return [];
  if (name.startsWith("(")) return rich(name);
  const operator = operators[flags ?? ""] ?? "";
  return [[single(name, operator, version ?? "", operator === "" ? name : `${name} ${operator} ${version}`)]];
}

function* readRelations(text: Uint8Array): Generator<Related, void> {
  for (const { name, version, architecture, requires, provides, files } of readRelated(text)) {
    const named = provides.map((one) => ({ name: one.name, version: one.flags === "EQ" ? one.version : undefined }));
    const offers = [{ name, version }, ...named, ...files.map((file) => ({ name: file, version: undefined }))];
    yield { name, version, architecture, offers, needs: () => requires.flatMap(needsOf) };
  }
}

export const relations: Relations = { anyMachine: "noarch", read: readRelations };
