/** Writes the trust page as a single file, which loads no scripts, styles or pictures from elsewhere. */
import { createHash } from "node:crypto";
import { FeedkeyError } from "../../error.ts";
import { escapeXml } from "../../picture/svg.ts";
import { iso } from "../../time.ts";
import type { ClaimedArchive } from "../check-archive.ts";
import type { PageParts } from "../page-parts.ts";
import { grouped, momentText, notChecked } from "../words.ts";
import type { PageFacts, PageFeed, PageKey } from "./facts.ts";
import { type Piece, type SetUp, setUps } from "./set-up.ts";

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/**
 * Returns the page's content security policy. It allows only the page's own script and style sheet, pictures inside the page, and files
 * from the page's own origin.
 */
function policyOf({ script, style }: PageParts): string {
  return [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "img-src data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

/**
 * Returns a text that can be the content of this HTML element.
 * @throws FeedkeyError `internal` if the text would end the element
 */
function within(tag: "script" | "style", text: string): string {
  if (!/<\/(script|style)|<!--/i.test(text)) return text;
  throw new FeedkeyError("internal", `the ${tag} of the trust page can't be put into it`);
}

/** Returns what the page says about its archive, as JSON that can't end its HTML element. */
function claimOf({ name, feeds }: PageFacts): string {
  const claim: ClaimedArchive = { name, feeds: feeds.map(({ feed }) => feed) };
  return JSON.stringify(claim).replaceAll("<", "\\u003c");
}

function keyItem({ fingerprint, userId, state }: PageKey): string {
  return `<li><code class="fingerprint">${grouped(fingerprint)}</code>
<p>${escapeXml(userId)}<br><span class="quiet">${escapeXml(state)}</span></p></li>`;
}

function feedRow({ feed, signature }: PageFeed): string {
  const signed = signature?.createdAt;
  const end = signature?.expiresAt;
  const when = (at: number | undefined, none: string) => (at === undefined ? none : momentText(iso(at)));
  const cells = [
    when(signed, "not signed"),
    signature === undefined ? "" : when(end, "no end"),
    signature === undefined ? "" : `<code>${grouped(signature.certificate)}</code>`,
  ];
  return `<tr><th scope="row">${escapeXml(feed.name)} <span class="quiet">${escapeXml(feed.format)}</span></th>${cells
    .map((cell) => `<td>${cell}</td>`)
    .join("")}</tr>`;
}

function piece(one: Piece): string {
  if (typeof one === "string") return escapeLinesXml(one);
  return `<span data-fill="${one.fill}">${one.fill === "url" ? "https://ARCHIVE/" : "FINGERPRINT"}</span>`;
}

function escapeLinesXml(text: string): string {
  return text.split("\n").map(escapeXml).join("\n");
}

function setUpBlock({ title, about, pieces }: SetUp): string {
  const name = escapeXml(title);
  return `<div class="set-up"><h3>${name}</h3>
<p>${escapeXml(about)}</p>
<pre tabindex="0" role="region" aria-label="Commands for ${name}" data-title="${name}">${pieces.map(piece).join("")}</pre></div>`;
}

function pictureOf({ name, picture }: PageFacts): string {
  const source = `data:image/svg+xml;base64,${Buffer.from(picture).toString("base64")}`;
  const [, width = "", height = ""] = /<svg width="(\d+)pt" height="(\d+)pt"/.exec(picture) ?? [];
  const label = `How the keys of ${escapeXml(name)} are connected; the list above says the same in words`;
  return `<div class="picture" tabindex="0" role="region" aria-label="The picture of the keys">
<img alt="${label}" width="${width}" height="${height}" src="${source}"></div>`;
}

/** Returns the whole page. @throws FeedkeyError `internal` if the script or the style sheet would end its HTML element */
export function pageHtml(facts: PageFacts, parts: PageParts): string {
  const name = escapeXml(facts.name);
  const list = (texts: readonly string[]) => texts.map((text) => `<li>${escapeXml(text)}</li>`).join("\n");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policyOf(parts)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>${name}: keys and packages</title>
<link rel="icon" href="data:,">
<style>${within("style", parts.style)}</style>
</head>
<body>
<a class="skip" href="#checking">Skip to the check</a>
<header>
<p class="kicker">Trust page</p>
<h1>${name}</h1>
<p class="lead">Check in your browser that the packages of this archive are signed by the key that you know it by.</p>
</header>
<main>
<section id="checking" aria-labelledby="checking-title">
<h2 id="checking-title">1. Check the archive</h2>
<noscript><p class="notice">Your browser runs no scripts here, so this page can check nothing. Use feedkey, below.</p></noscript>
<form id="check-form" hidden>
<label for="fingerprint">Fingerprint of the archive's key</label>
<p id="fingerprint-help" class="help">Take it from somewhere other than this archive: a manual, the keepers themselves, a machine that you trust. One that is copied from this page proves nothing.</p>
<div class="row"><input id="fingerprint" autocomplete="off" autocapitalize="characters" spellcheck="false" aria-describedby="fingerprint-help" required>
<button id="check" type="submit">Check</button></div>
</form>
<div id="summary" class="summary" role="status"><p>Nothing has been checked yet.</p></div>
<ol id="lines" class="lines" aria-live="polite" aria-label="What was checked"></ol>
</section>
<section aria-labelledby="files-title">
<h2 id="files-title">2. Check a file that you downloaded</h2>
<div id="zone" class="zone off">
<label for="files">Drop package files here, or choose them</label>
<input id="files" type="file" multiple disabled aria-describedby="files-help">
<p id="files-help" class="help"><span id="files-wait">First check the archive. </span>Files stay on your device: they are read here and sent nowhere.</p>
</div>
<div id="progress" class="progress" hidden><progress id="progress-bar" aria-label="Reading the file" value="0" max="1"></progress>
<p id="progress-text" role="status"></p></div>
<ol id="file-lines" class="lines" aria-live="polite" aria-label="Files that were checked"></ol>
</section>
<section id="limits" aria-labelledby="limits-title">
<h2 id="limits-title">What this page can't know</h2>
<ul>
${list(notChecked)}
</ul>
<p>feedkey on your own machine checks the first two, and does not depend on the third.</p>
</section>
<section aria-labelledby="keys-title">
<h2 id="keys-title">The archive's keys</h2>
<p class="claim">What follows is what the archive says of itself. Nothing of it has been checked.</p>
<ul class="keys">
${facts.keys.map(keyItem).join("\n") || "<li>None of its keys may be used now.</li>"}
</ul>
${pictureOf(facts)}
</section>
<section aria-labelledby="feeds-title">
<h2 id="feeds-title">Feeds</h2>
<div class="scroll" tabindex="0" role="region" aria-label="The table of feeds">
<table><thead><tr><th scope="col">Feed</th><th scope="col">Last signed</th><th scope="col">Valid until</th><th scope="col">Signed by</th></tr></thead>
<tbody>
${facts.feeds.map(feedRow).join("\n")}
</tbody></table></div>
</section>
<section aria-labelledby="set-up-title">
<h2 id="set-up-title">Set up your machine</h2>
<p>The fingerprint that you typed above is filled in.</p>
${setUps(facts).map(setUpBlock).join("\n")}
</section>
</main>
<footer><p>Written by feedkey when the archive was published.</p></footer>
<script type="application/json" id="archive">${claimOf(facts)}</script>
<script>${within("script", parts.script)}</script>
</body>
</html>
`;
}
