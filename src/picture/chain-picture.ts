/** Draws the picture of a chain, for a browser. */
import type { TrustSet } from "../trust/judge.ts";
import { chainGraph } from "./chain-graph.ts";
import { layOut } from "./svg.ts";

/** Draws a chain as SVG. @param archive the archive's name @throws FeedkeyError `internal` if Graphviz can't read the graph */
export async function chainPicture(trust: TrustSet, archive: string): Promise<string> {
  const { size } = trust.trusted;
  return await layOut(chainGraph(trust), `How ${size === 1 ? "1 key" : `${size} keys`} of ${archive} are connected`);
}
