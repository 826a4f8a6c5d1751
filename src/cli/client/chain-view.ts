/** Shows which keys the client trusts and why: as a text tree for people, or as JSON for programs. */

import { keyToday, scopeText } from "../../client/status.ts";
import { escapeText } from "../../escape.ts";
import { append } from "../../grouped.ts";
import type { Fingerprint, Trusted, TrustSet } from "../../index.ts";
import { iso } from "../../time.ts";
import { shownPath } from "./show.ts";

/**
 * Returns the feeds that a delegate may sign: for each path of delegations, one list of patterns per delegation. A feed must
 * match every list of at least one path. Null for keys that may sign every feed.
 */
function feedsOf({ role, grants }: Trusted): (readonly string[])[][] | null {
  return role === "delegate" ? grants.map(({ scopes }) => [...scopes]) : null;
}

function roleText({ role, grants }: Trusted): string {
  if (role !== "delegate") return role;
  const scopes = grants.map((grant) => `${scopeText(grant.scopes)} until ${iso(grant.expiresAt)}`);
  return `delegate for ${scopes.join(" or ")}`;
}

/** Returns the trust set for `--json`: fingerprints in upper-case hex, times in RFC 3339. */
export function chainJson(trust: TrustSet) {
  return {
    trusted: [...trust.trusted].map(([fingerprint, key]) => {
      const { userId, role, via } = key;
      const { maySign, expiresAt } = keyToday(key, trust);
      return {
        ...{ fingerprint, userId, role, issuer: via.at(-1) ?? null, via: shownPath(via) },
        ...{ feeds: feedsOf(key), expiresAt: expiresAt === undefined ? null : iso(expiresAt), maySign },
      };
    }),
    rejected: [...trust.rejected].map(([fingerprint, { code, reason, userId }]) => ({
      fingerprint,
      userId,
      code,
      reason,
    })),
  };
}

/** Returns a tree in which each trusted key is below the key that certified it. Seeds are at the left margin. */
export function chainTree(trust: TrustSet): string {
  const children = new Map<Fingerprint | undefined, Fingerprint[]>();
  for (const [fingerprint, { via }] of trust.trusted) {
    // A key's predecessor may be a rival that the client does not trust (T6). The tree then shows the key below the last
    // trusted key on its path.
    const parent = [...via].reverse().find((key) => trust.trusted.has(key));
    append(children, parent, fingerprint);
  }
  const lines: string[] = [];
  const draw = (fingerprint: Fingerprint, indent: string, branch: string, next: string) => {
    const key = trust.trusted.get(fingerprint);
    if (key === undefined) return;
    lines.push(`${indent}${branch}${fingerprint}  ${roleText(key)}, ${keyToday(key, trust).text}`);
    lines.push(`${indent}${next}    ${escapeText(key.userId)}`);
    const below = children.get(fingerprint) ?? [];
    for (const [place, child] of below.entries()) {
      const last = place === below.length - 1;
      draw(child, indent + next, last ? "└─ " : "├─ ", last ? "   " : "│  ");
    }
  };
  for (const seed of children.get(undefined) ?? []) draw(seed, "", "", "");
  if (lines.length === 0) lines.push("no key is trusted");
  if (trust.rejected.size > 0) lines.push("", "not trusted:");
  for (const [fingerprint, { code, reason, userId }] of trust.rejected) {
    lines.push(`${fingerprint}  ${code}: ${escapeText(reason)}`, `    ${escapeText(userId)}`);
  }
  return lines.join("\n");
}
