/** The variables of pkg_summary(5), and a table that knows them by their bytes. */
import { hashStart, hashStep } from "../line-cursor.ts";

/** What a variable is for: an index into the scanner's tables. */
export const summaryRole = {
  other: 0,
  name: 1,
  architecture: 2,
  fileName: 3,
  fileSize: 4,
  checksum: 5,
  comment: 6,
} as const;

export type SummaryRole = (typeof summaryRole)[keyof typeof summaryRole];

export const summaryRoleCount = 7;

// pkg_add refuses a package that lacks one of these.
const required = ["PKGNAME", "COMMENT", "DESCRIPTION", "MACHINE_ARCH", "OPSYS", "OS_VERSION"];

/**
 * Variables that pkg_summary(5) requires too. Old packages, and those made without pkgsrc, lack some; pkg_add installs them all
 * the same, and `pkg_info -X` leaves these variables out.
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

/** Lists and texts, which repeat the variable line by line; every other one appears once. */
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
  /** A unique bit if every stanza must have the variable, else 0. */
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

// No two of these names have the same hash, so no chain is needed.
const byHash = makeTable();

/** The variables by name, in the order of their checks. */
export const variables: readonly Variable[] = [...byHash.values()];

/**
 * The variable with this name; undefined for one that pkg_summary(5) does not define, which feedkey ignores.
 * @param hash FNV-1a over the name
 */
export function variableAt(bytes: Buffer, start: number, end: number, hash: number): Variable | undefined {
  const found = byHash.get(hash);
  if (found === undefined || found.bytes.length !== end - start) return undefined;
  for (let at = 0; at < found.bytes.length; at++) if (bytes[start + at] !== found.bytes[at]) return undefined;
  return found;
}

/** All required bits together. */
export const allRequired = (1 << required.length) - 1;

/** The first required variable that is missing from the bits seen. */
export function missingVariable(seen: number): string {
  return required.find((_, index) => (seen & (1 << index)) === 0) ?? "";
}
