/** Defines the variables of pkg_summary(5), and a table to find a variable by the bytes of its name. */
import { hashStart, hashStep } from "../line-cursor.ts";

/** The role of a variable, as an index into the scanner's tables. */
export const summaryRole = {
  other: 0,
  name: 1,
  architecture: 2,
  fileName: 3,
  fileSize: 4,
  checksum: 5,
  comment: 6,
} as const;

type SummaryRole = (typeof summaryRole)[keyof typeof summaryRole];

export const summaryRoleCount = 7;

// pkg_add refuses a package that lacks any of these variables.
const required = ["PKGNAME", "COMMENT", "DESCRIPTION", "MACHINE_ARCH", "OPSYS", "OS_VERSION"];

/**
 * Further variables that pkg_summary(5) requires. Old packages, and packages made without pkgsrc, lack some of them. pkg_add still
 * installs such packages, and `pkg_info -X` omits missing variables.
 */
export const usual: readonly string[] = ["BUILD_DATE", "CATEGORIES", "PKGPATH", "PKGTOOLS_VERSION", "SIZE_PKG"];

const optional = [
  "CONFLICTS",
  "DEPENDS",
  "FILE_CKSUM",
  "FILE_NAME",
  "FILE_SIZE",
  "HOMEPAGE",
  "LICENSE",
  "PKG_OPTIONS",
  "PREV_PKGPATH",
  "PROVIDES",
  "REQUIRES",
  "SUPERSEDES",
];

/** Variables that may appear several times in a stanza, once for each line of a list or text. */
const repeatable = new Set(["CONFLICTS", "DEPENDS", "DESCRIPTION", "PROVIDES", "REQUIRES", "SUPERSEDES"]);

const roleOf: Readonly<Record<string, SummaryRole>> = {
  PKGNAME: summaryRole.name,
  MACHINE_ARCH: summaryRole.architecture,
  FILE_NAME: summaryRole.fileName,
  FILE_SIZE: summaryRole.fileSize,
  FILE_CKSUM: summaryRole.checksum,
  COMMENT: summaryRole.comment,
};

export interface Variable {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly role: SummaryRole;
  readonly repeatable: boolean;
  /** A unique bit if every stanza must have the variable; 0 if the variable is optional. */
  readonly required: number;
}

function makeTable(): ReadonlyMap<number, Variable> {
  const table = new Map<number, Variable>();
  for (const [index, name] of [...required, ...usual, ...optional].entries()) {
    const bytes = Buffer.from(name, "latin1");
    const hash = bytes.reduce(hashStep, hashStart);
    table.set(hash, {
      name,
      bytes,
      role: roleOf[name] ?? summaryRole.other,
      repeatable: repeatable.has(name),
      required: index < required.length ? 1 << index : 0,
    });
  }
  return table;
}

// No two names have the same hash, so the table needs no chains.
const byHash = makeTable();

/** All variables, in the order of their checks. */
export const variables: readonly Variable[] = [...byHash.values()];

/**
 * Returns the variable with the name between two offsets; undefined if pkg_summary(5) does not define the variable. feedkey
 * ignores such variables.
 * @param hash FNV-1a hash of the name
 */
export function variableAt(bytes: Buffer, start: number, end: number, hash: number): Variable | undefined {
  const found = byHash.get(hash);
  if (found === undefined || found.bytes.length !== end - start) return undefined;
  for (let at = 0; at < found.bytes.length; at++) if (bytes[start + at] !== found.bytes[at]) return undefined;
  return found;
}

/** The bits of all required variables. */
export const allRequired = (1 << required.length) - 1;

/** Returns the first required variable whose bit is missing in `seen`. */
export function missingVariable(seen: number): string {
  return required.find((_, index) => (seen & (1 << index)) === 0) ?? "";
}
