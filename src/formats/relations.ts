/** What packages need of each other, in the words of every format. */

/** What a package offers to others: itself, or a name that it stands for. */
export interface Capability {
  readonly name: string;
  /** Undefined: it says none. */
  readonly version: string | undefined;
}

/** One way to meet a need. */
export interface Requirement {
  /** As the index has it. */
  readonly text: string;
  /** Names of the capabilities that may meet it; undefined: any may. */
  readonly names: readonly string[] | undefined;
  isMetBy(capability: Capability): boolean;
}

/** A package of an index with what it offers and needs. */
export interface Related {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** Itself first. */
  readonly offers: readonly Capability[];
  /** What it needs, each need with the alternatives that meet it, the preferred one first. */
  needs(): readonly (readonly Requirement[])[];
}

/** How a format says what its packages need. */
export interface Relations {
  /** What packages for any machine say as their architecture. */
  readonly anyMachine: string;
  /** Reads a text whose packages were read, and checked, before. */
  read(text: Uint8Array): Iterable<Related>;
}

/** Whether a comparison, as -1, 0 or 1, is what an operator asks for; Debian's `<<` and `>>` are `<` and `>`. */
export function isOperatorMet(operator: string, comparison: number): boolean {
  if (comparison === 0) return operator.includes("=");
  return operator.includes(comparison < 0 ? "<" : ">");
}
