/** The dependencies of packages, in a form common to all formats. */

/** Something that a package provides: itself, or another name. */
export interface Capability {
  readonly name: string;
  /** The version; undefined if the package gives none. */
  readonly version: string | undefined;
}

/** One way to meet a dependency. */
export interface Requirement {
  /** The requirement as the index writes it. */
  readonly text: string;
  /** Names of the capabilities that can meet the requirement; undefined if a capability with any name can. */
  readonly names: readonly string[] | undefined;
  isMetBy(capability: Capability): boolean;
}

/** A package in an index, with its capabilities and dependencies. */
export interface Related {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The package's capabilities, first the package itself. */
  readonly offers: readonly Capability[];
  /** Returns the package's dependencies, each with its alternatives, the preferred alternative first. */
  needs(): readonly (readonly Requirement[])[];
}

/** How a format describes dependencies. */
export interface Relations {
  /** The architecture name for packages that fit every machine. */
  readonly anyMachine: string;
  /** Reads a text that was already checked. */
  read(text: Uint8Array): Iterable<Related>;
}

/** Tells whether the result of a comparison (-1, 0 or 1) meets an operator. Debian's `<<` and `>>` count as `<` and `>`. */
export function isOperatorMet(operator: string, comparison: number): boolean {
  if (comparison === 0) return operator.includes("=");
  return operator.includes(comparison < 0 ? "<" : ">");
}
