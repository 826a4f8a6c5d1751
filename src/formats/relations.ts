/** The dependencies of packages, in a form common to all formats. */

/** Something that a package provides: itself, or another name. */
export interface Capability {
  readonly name: string;
  /** Undefined if none is given. */
  readonly version: string | undefined;
}

/** One way to meet a dependency. */
export interface Requirement {
  /** As the index has it. */
  readonly text: string;
  /** Names of the capabilities that can meet it; undefined: any can. */
  readonly names: readonly string[] | undefined;
  isMetBy(capability: Capability): boolean;
}

/** A package of an index with its capabilities and dependencies. */
export interface Related {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Itself first. */
  readonly offers: readonly Capability[];
  /** Its dependencies, each with its alternatives, the preferred one first. */
  needs(): readonly (readonly Requirement[])[];
}

/** How a format describes dependencies. */
export interface Relations {
  /** The architecture of packages for any machine. */
  readonly anyMachine: string;
  /** Reads a text that was already checked. */
  read(text: Uint8Array): Iterable<Related>;
}

/** Whether the result of a comparison (-1, 0 or 1) meets an operator; Debian's `<<` and `>>` are `<` and `>`. */
export function isOperatorMet(operator: string, comparison: number): boolean {
  if (comparison === 0) return operator.includes("=");
  return operator.includes(comparison < 0 ? "<" : ">");
}
