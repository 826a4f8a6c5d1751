/**
 * Describes the chain as a graph in Graphviz's language: keys with their dates and state, certifications, delegations, and the reasons for
 * refusals.
 */
import { keyToday, scopeText } from "../client/status.ts";
import { escapeText } from "../escape.ts";
import { iso } from "../time.ts";
import type { Fingerprint } from "../trust/facts.ts";
import type { Rejected, Trusted, TrustSet } from "../trust/judge.ts";

/**
 * The number of refused keys in the graph. Anyone can upload keys that clients refuse, so the graph shows only as many as a person can look
 * at.
 */
const mostRefused = 50;
/** The largest number of characters in a line of a box. */
const lineLength = 44;

/** Returns a string in quotes. It escapes `&`, which would begin an entity, and the backslash, which begins Graphviz's own escapes. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("&", "&amp;").replaceAll("\n", "\\n")}"`;
}

/** Breaks text into lines, at spaces if the text has any. */
function broken(text: string): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of escapeText(text).split(" ")) {
    if (line !== "" && line.length + word.length >= lineLength) {
      lines.push(line);
      line = "";
    }
    line += line === "" ? word : ` ${word}`;
    for (; line.length > lineLength; line = line.slice(lineLength)) lines.push(line.slice(0, lineLength));
  }
  return line === "" ? lines : [...lines, line];
}

const date = (at: number) => iso(at).slice(0, 10);

/** Returns the lines at the top of a key's box: the user ID, the fingerprint in two lines, and the key's validity period. */
function head(fingerprint: Fingerprint, key: Trusted | Rejected, trust: TrustSet): string[] {
  const { expiresAt } = keyToday(key, trust);
  const created = date(key.facts.primary.createdAt);
  const half = Math.ceil(fingerprint.length / 2);
  const halves = [fingerprint.slice(0, half), fingerprint.slice(half)];
  return [
    ...broken(key.userId),
    ...halves,
    expiresAt === undefined ? `since ${created}` : `${created} to ${date(expiresAt)}`,
  ];
}

function box(fingerprint: Fingerprint, className: string, lines: readonly string[], more = ""): string {
  return `  "${fingerprint}" [class="${className}", label=${quoted(lines.join("\n"))}${more}];`;
}

function trustedBox(fingerprint: Fingerprint, key: Trusted, trust: TrustSet): string {
  const { text, maySign } = keyToday(key, trust);
  const scopes = key.grants.map(({ scopes, expiresAt }) => `${scopeText(scopes)} until ${date(expiresAt)}`);
  const role = key.role === "delegate" ? `delegate for ${scopes.join(" or ")}` : key.role;
  const lines = [...head(fingerprint, key, trust), ...broken(`${role}, ${text}`)];
  const className = `${key.role}${maySign ? "" : " idle"}`;
  return box(
    fingerprint,
    className,
    lines,
    `${key.role === "seed" ? ", peripheries=2" : ""}${maySign ? "" : ', color="#8c959f"'}`,
  );
}

function refusedBox(fingerprint: Fingerprint, key: Rejected, trust: TrustSet): string {
  const lines = [...head(fingerprint, key, trust), ...broken(`${key.code}: ${key.reason}`)];
  return box(fingerprint, "refused", lines, ', style=dashed, color="#cf222e"');
}

/** Returns the graph. Refused keys have dashed boxes, refused links are dotted, and delegations have an empty arrowhead. */
export function chainGraph(trust: TrustSet): string {
  const refused = [...trust.rejected].slice(0, mostRefused);
  const drawn = new Set([...trust.trusted.keys(), ...refused.map(([fingerprint]) => fingerprint)]);
  const edges = (links: TrustSet["links"], kind: string, attributes: string) => {
    return links.flatMap(({ issuer, subject, refusal }) => {
      if (!drawn.has(issuer) || !drawn.has(subject)) return [];
      // If a key certified an earlier key on its own path, this link must not change the order of the boxes from top to bottom.
      const isUp = trust.trusted.get(issuer)?.via.includes(subject) === true;
      const order = isUp ? ", constraint=false" : "";
      const label = refusal === undefined ? "" : quoted(broken(refusal.reason).join("\n"));
      const look =
        refusal === undefined
          ? `class="holds ${kind}"${attributes}`
          : `class="broken", style=dotted, color="#cf222e", label=${label}`;
      return [`  "${issuer}" -> "${subject}" [${look}${order}];`];
    });
  };
  const left = trust.rejected.size - refused.length;
  return [
    "digraph chain {",
    // Graphviz knows the character widths of this font, but perhaps not those of other fonts.
    "  graph [rankdir=TB, nodesep=0.4];",
    '  node [shape=box, fontname="Courier", fontsize=10, margin="0.15,0.08"];',
    '  edge [fontname="Helvetica", fontsize=9];',
    ...[...trust.trusted].map(([fingerprint, key]) => trustedBox(fingerprint, key, trust)),
    ...refused.map(([fingerprint, key]) => refusedBox(fingerprint, key, trust)),
    ...edges(trust.links, "transition", ""),
    ...edges(trust.delegations, "delegation", ', arrowhead=empty, label="delegates"'),
    ...(left > 0 ? [`  more [shape=plaintext, label="and ${left} more that are not trusted"];`] : []),
    "}",
  ].join("\n");
}
