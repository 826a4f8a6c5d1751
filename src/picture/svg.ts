/** Draws graphs as SVG for a browser, in colours for its light and its dark theme. */
import { Graphviz } from "@hpcc-js/wasm-graphviz";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";

/** A style sheet that overrides the colours in the drawing's attributes. Viewers without support for style sheets use the attributes. */
const style = `<style>
svg { background: #ffffff; color-scheme: light dark; }
.seed polygon { fill: #ddf4ff; }
.successor polygon { fill: #dafbe1; }
.delegate polygon { fill: #fff8c5; }
.idle polygon { fill: #f6f8fa; }
.refused polygon { fill: #fff5f5; }
.delegation polygon { fill: none; }
.seed polygon + polygon { fill: none; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; }
  text { fill: #e6edf3; }
  .graph > polygon { fill: none; }
  .node polygon { stroke: #8b949e; }
  .edge path, .edge polygon { stroke: #8b949e; }
  .holds polygon { fill: #8b949e; }
  .seed polygon { fill: #0c2d6b; }
  .successor polygon { fill: #033a16; }
  .delegate polygon { fill: #4b2900; }
  .idle polygon { fill: #21262d; }
  .refused polygon { fill: #3c1618; }
  .delegation polygon { fill: none; }
  .refused polygon, .broken path, .broken polygon { stroke: #f85149; }
  .seed polygon + polygon { fill: none; }
}
</style>`;

/** Escapes text for use in XML: between tags or in an attribute. */
export function escapeXml(text: string): string {
  return escapeText(text).replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/**
 * Lays out a graph and returns it as SVG. The library is Graphviz itself, compiled to WebAssembly, so `dot` need not be installed.
 * @param title a sentence that describes the picture for screen readers
 * @throws FeedkeyError `internal` if Graphviz can't read the graph
 */
export async function layOut(graph: string, title: string): Promise<string> {
  const graphviz = await Graphviz.load();
  let drawn: string;
  try {
    drawn = graphviz.dot(graph, "svg");
  } catch (cause) {
    throw new FeedkeyError("internal", "the graph could not be laid out", { cause });
  }
  const start = drawn.indexOf("<svg");
  const end = drawn.indexOf(">", start) + 1;
  const open = drawn.slice(start, end - 1);
  return `${open} role="img">\n<title>${escapeXml(title)}</title>\n${style}${drawn.slice(end)}`.trimEnd();
}
