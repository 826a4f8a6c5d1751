/** Converts Markdown, parsed by marked, to mdoc, the language of manual pages. */

/** Words that mdoc would interpret as macros or punctuation in arguments. */
const special = /^(?:[A-Z][a-z][a-z0-9]?|[.,:;()?!|]|\[|\])$/;
const manuals = {
  "profile.md": "feedkey-profile(5)",
  "archive-ini.md": "feedkey-archive(5)",
  "trust-rules.md": "feedkey-trust(7)",
};

/** Escapes text that roff would interpret. */
export function literal(text) {
  return (
    text
      .replaceAll("\\", "\\e")
      .replaceAll("-", "\\-")
      .replaceAll("`", "\\(ga")
      .replaceAll("^", "\\(ha")
      .replaceAll("~", "\\(ti")
      // mandoc prefers a macro for this one.
      .replaceAll("NetBSD", "Net\\&BSD")
      .replace(/[^\0-\x7f]/gu, (letter) => `\\[u${letter.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`)
  );
}

/** A literal line. */
export function code(line) {
  return guarded(literal(line));
}

/** A text line that begins with a control character needs a prefix. */
function guarded(line) {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

/** The first letter large, a full stop at the end. */
export function sentence(text) {
  const first = /^[a-z]+(?=[\s,:;]|$)/.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  return /[.?!]$/.test(first) ? first : `${first}.`;
}

/** A heading as manual pages write them; code in it stays as it is. */
export function nameOf(heading) {
  return argument(
    literal(
      heading
        .split(/(`[^`]*`)/)
        .map((part) => (part.startsWith("`") ? part.slice(1, -1) : part.toUpperCase()))
        .join(""),
    ),
  );
}

/** Lines of at most 78 characters; each sentence on a line of its own. */
export function wrap(text) {
  const lines = [];
  for (const one of text.split(/(?<=[^\s.][.?!][)"]?)\s+(?=\S)/)) {
    let line = "";
    for (const word of one.split(/\s+/).filter((word) => word !== "")) {
      if (line !== "" && line.length + word.length > 77) {
        lines.push(line);
        line = "";
      }
      line += line === "" ? word : ` ${word}`;
    }
    if (line !== "") lines.push(line);
  }
  return lines.map(guarded);
}

const entities = { "&lt;": "<", "&gt;": ">", "&amp;": "&", "&quot;": '"', "&#39;": "'" };
const plain = (text) => text.replace(/&(?:lt|gt|amp|quot|#39);/g, (entity) => entities[entity]);

/** Text with code and emphasis in it. */
function inline(tokens) {
  return tokens
    .map((token) => {
      if (token.type === "codespan") return `\\fB${literal(plain(token.text))}\\fR`;
      if (token.type === "em") return `\\fI${inline(token.tokens)}\\fR`;
      if (token.type === "strong") return `\\fB${inline(token.tokens)}\\fR`;
      if (token.type === "link") return `${inline(token.tokens)}${targetOf(token.href)}`;
      if (token.type === "br") return " ";
      if (token.tokens !== undefined) return inline(token.tokens);
      return literal(plain(token.text ?? token.raw));
    })
    .join("");
}

/** The target of a link, if it is another page of the manual or a guide. */
function targetOf(href) {
  const [file] = href.split("#");
  if (file === "" || file.startsWith("../")) return "";
  const where = manuals[file] ?? (/^https?:/.test(file) ? file : `docs/${file}`);
  return ` (${literal(where)})`;
}

/** Escaped text as the argument of a macro. */
export function argument(text) {
  const words = text.split(" ").map((word) => (special.test(word) ? `\\&${word}` : word));
  return words
    .join(" ")
    .replaceAll('"', "\\(dq")
    .replace(/[\])]$/, "$&\\&");
}

const item = (text) => `.It ${argument(text)}`;

/** `\fBname\fR: text` of a list of terms, apart; undefined if it is another list. */
function termsOf(items) {
  const split = items.map(({ tokens }) => {
    const [first, ...rest] = tokens;
    const parts = first?.tokens ?? [];
    const end = parts.findIndex(({ type, raw }) => type === "text" && /^:\s/.test(raw));
    const isTerm = end > 0 && parts[0].type === "codespan";
    const [colon] = parts.slice(end, end + 1);
    return isTerm
      ? {
          term: parts.slice(0, end),
          text: [{ ...colon, text: colon.text.slice(1).trimStart(), raw: "" }, ...parts.slice(end + 1)],
          rest,
        }
      : undefined;
  });
  return split.every((one) => one !== undefined) ? split : undefined;
}

function list({ ordered, items }) {
  const terms = ordered ? undefined : termsOf(items);
  if (terms !== undefined) {
    const lines = terms.flatMap(({ term, text, rest }) => [item(inline(term)), ...wrap(inline(text)), ...mdocOf(rest)]);
    return [".Bl -tag -width Ds", ...lines, ".El"];
  }
  return [`.Bl ${ordered ? "-enum" : "-bullet"}`, ...items.flatMap(({ tokens }) => [".It", ...mdocOf(tokens)]), ".El"];
}

/** A table as a list of terms: the first column is the term, the others its text, with headings from the third column on. */
function table({ header, rows }) {
  const lines = rows.flatMap(([first, ...cells]) => {
    const texts = cells.map(({ tokens }, at) => {
      const text = inline(tokens).trim();
      const heading = inline(header[at + 1].tokens).trim();
      if (text === "") return "";
      return sentence(at === 0 || heading === "" ? text : `${sentence(heading).slice(0, -1)}: ${text}`);
    });
    return [item(inline(first.tokens)), ...texts.flatMap(wrap)];
  });
  return [".Bl -tag -width Ds", ...lines, ".El"];
}

/** The lines of a page. */
export function mdocOf(tokens) {
  return tokens.flatMap((token) => {
    switch (token.type) {
      case "heading":
        return [token.depth === 2 ? `.Sh ${nameOf(token.text)}` : `.Ss ${literal(token.text)}`];
      case "paragraph":
        return [".Pp", ...wrap(inline(token.tokens))];
      case "text":
        return wrap(inline(token.tokens));
      case "code":
        return [".Bd -literal -offset indent", ...token.text.split("\n").map(code), ".Ed"];
      case "list":
        return list(token);
      case "table":
        return table(token);
      case "space":
        return [];
      default:
        throw new Error(`the manual has no form for Markdown's "${token.type}": ${token.raw}`);
    }
  });
}

/** No paragraph break is needed after something that already makes one. */
export function dropEmpty(lines) {
  const kept = [];
  for (const [at, line] of lines.entries()) {
    const roomBefore = /^\.(?:Pp|Sh|Ss|It|Bl|Bd)\b/.test(kept.at(-1) ?? "");
    if (line !== ".Pp" || !(roomBefore || /^\.(?:Pp|Sh|Ss|Bl|Bd)\b/.test(lines[at + 1] ?? ""))) kept.push(line);
  }
  return kept;
}
