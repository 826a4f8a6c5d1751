/** The terms of a delegation: its depth and its feeds. */
import type { SignatureFacts } from "./facts.ts";

export interface DelegationTerms {
  /** How many more delegations may follow this delegation on a path; with 0, the delegate may not delegate further. */
  readonly depth: number;
  /** Globs for feed names: `*` matches any number of characters, `?` matches one character. The list is never empty. */
  readonly feeds: readonly string[];
}

const prefix = "delegate@";
const glob = /^[A-Za-z0-9._*?-]+$/;
const maxDepth = 8;

/** Whether a certification is a delegation, valid or not. A delegation is never a transition. */
export function isDelegation({ notations }: Pick<SignatureFacts, "notations">): boolean {
  return notations.some(({ name }) => name.startsWith(prefix));
}

/** Formats the terms as the notation's value: `depth=N; feeds=GLOB,GLOB`. */
export function formatTerms({ depth, feeds }: DelegationTerms): string {
  return `depth=${depth}; feeds=${feeds.join(",")}`;
}

/**
 * Reads the terms from the notation's value. A value that two programs could read differently delegates nothing.
 * @returns undefined if the value is malformed
 */
export function parseTerms(value: string): DelegationTerms | undefined {
  const match = /^depth=(\d); feeds=([^;\s]+)$/.exec(value);
  const depth = Number(match?.[1]);
  const feeds = match?.[2]?.split(",") ?? [];
  if (match === null || depth > maxDepth || !feeds.every((feed) => glob.test(feed))) return undefined;
  return { depth, feeds };
}

/** Returns the terms in a certification; undefined if the certification has no terms, several terms, or malformed terms. */
export function termsOf({ notations }: Pick<SignatureFacts, "notations">): DelegationTerms | undefined {
  const [only, ...others] = notations.filter(({ name }) => name.startsWith(prefix));
  return only === undefined || others.length > 0 ? undefined : parseTerms(only.value);
}

/**
 * Returns the trust signature that goes with a depth (RFC 9580 section 5.2.3.21). A delegate that may delegate further gets full trust,
 * with a level one above the depth; any other delegate gets none.
 */
export function trustOf(depth: number): SignatureFacts["trust"] {
  return depth === 0 ? { level: 0, amount: 0 } : { level: depth + 1, amount: 120 };
}

/** Whether a feed's name matches one of the globs. */
export function matchesFeed(feed: string, globs: readonly string[]): boolean {
  return globs.some((pattern) => matches(feed, pattern));
}

/** Matches with a loop instead of recursion, so that the number of steps is at most the product of the two lengths. */
function matches(text: string, pattern: string): boolean {
  let row = [true, ...Array<boolean>(text.length).fill(false)];
  for (const symbol of pattern) {
    const next = [symbol === "*" && row[0] === true];
    for (let i = 1; i <= text.length; i++) {
      if (symbol === "*") next.push(next[i - 1] === true || row[i] === true);
      else next.push(row[i - 1] === true && (symbol === "?" || symbol === text[i - 1]));
    }
    row = next;
  }
  return row[text.length] === true;
}
