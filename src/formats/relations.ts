/** Describes the dependencies of packages, in a form common to all formats. */

/** A name that a package provides: its own name, or another name. */
export interface Capability {
  readonly name: string;
  /** The version; undefined if the package gives none. */
  readonly version: string | undefined;
}

/** One of the alternatives that meet a dependency. */
export interface Requirement {
  /** The requirement's text in the index. */
  readonly text: string;
  /** Names of the capabilities that can meet the requirement; undefined if a capability with any name can meet it. */
  readonly names: readonly string[] | undefined;
  isMetBy(capability: Capability): boolean;
}

/** A package in an index, with its capabilities and dependencies. */
export interface Related {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The package's capabilities. The first capability is the package itself. */
  readonly offers: readonly Capability[];
  /** Returns the package's dependencies, each with its alternatives, the preferred alternative first. */
  needs(): readonly (readonly Requirement[])[];
}

/** How a format describes dependencies. */
export interface Relations {
  /** The architecture name for packages that fit every machine. */
  readonly anyMachine: string;
  /** Yields the packages in a text that feedkey has already checked. */
  read(text: Uint8Array): Iterable<Related>;
}

/** Whether the result of a comparison (-1, 0 or 1) meets an operator. Debian's `<<` and `>>` count as `<` and `>`. */
export function isOperatorMet(operator: string, comparison: number): boolean {
  if (comparison === 0) return operator.includes("=");
  return operator.includes(comparison < 0 ? "<" : ">");
}
