/** Draws a rotation over time: a bar for each key, the overlap, and today. */

import { largest, smallest } from "../extremes.ts";
import type { RotationStatus } from "../keys/rotation/take-rotation.ts";
import { iso } from "../time.ts";
import { escapeXml } from "./svg.ts";

const width = 760;
const left = 20;
const row = 52;
const top = 40;
const day = 86_400_000;
/** How far into the future the picture shows a key that never expires, in milliseconds. */
const farAhead = 3 * 365 * day;

const style = `<style>
svg { background: #ffffff; color-scheme: light dark; font: 12px sans-serif; }
text { fill: #1f2328; }
.small { fill: #59636e; font-size: 11px; }
.key { fill: #54aeff; } .present { fill: #4ac26b; } .revoked { fill: #ff8182; }
.overlap { fill: #fff8c5; } .today { stroke: #cf222e; } .axis { stroke: #d1d9e0; }
@media (prefers-color-scheme: dark) {
  svg { background: #0d1117; } text { fill: #e6edf3; } .small { fill: #9198a1; }
  .key { fill: #1f6feb; } .present { fill: #238636; } .revoked { fill: #b62324; }
  .overlap { fill: #4b2900; } .today { stroke: #f85149; } .axis { stroke: #3d444d; }
}
</style>`;

const date = (at: number) => iso(at).slice(0, 10);

/** Returns the first days of months or years between two dates, few enough that their labels are readable. */
function ticks(from: number, to: number): number[] {
  const years = (to - from) / (365 * day);
  const months = years > 6 ? 12 : years > 3 ? 6 : years > 1 ? 3 : 1;
  const first = new Date(from);
  const found: number[] = [];
  for (let n = 0; n < 100; n++) {
    const at = Date.UTC(first.getUTCFullYear(), n * months);
    if (at > to) break;
    if (at >= from) found.push(at);
  }
  return found;
}

/**
 * Returns the picture as SVG.
 * @param at the time that the picture shows as today
 */
export function timeline({ keys, present, successor, overlapEnds }: Omit<RotationStatus, "feeds">, at: number): string {
  const ends = keys.map(({ expiresAt, revokedAt }) => revokedAt ?? expiresAt ?? at + farAhead);
  const from = smallest([at, ...keys.map(({ createdAt }) => createdAt)]) - 30 * day;
  const to = largest([at, overlapEnds ?? at, ...ends]) + 30 * day;
  const x = (time: number) => Math.round(left + ((time - from) / (to - from)) * (width - 2 * left));
  const bottom = top + keys.length * row;
  const bars = keys.flatMap(({ fingerprint, createdAt, expiresAt, revokedAt }, place) => {
    const y = top + place * row;
    const role = fingerprint === present ? "present key" : fingerprint === successor ? "successor" : "predecessor";
    const end =
      revokedAt === undefined
        ? expiresAt === undefined
          ? "never expires"
          : `until ${date(expiresAt)}`
        : `revoked ${date(revokedAt)}`;
    const kind = revokedAt !== undefined ? "revoked" : fingerprint === present ? "present" : "key";
    const length = Math.max(2, x(ends[place] ?? at) - x(createdAt));
    return [
      `<rect class="${kind}" x="${x(createdAt)}" y="${y + 22}" width="${length}" height="16" rx="3"/>`,
      `<text x="${left}" y="${y + 14}">${role} ${escapeXml(fingerprint)} <tspan class="small">${date(createdAt)}, ${end}</tspan></text>`,
    ];
  });
  const starts = keys.find(({ fingerprint }) => fingerprint === successor)?.createdAt;
  const overlap =
    starts === undefined || overlapEnds === undefined
      ? []
      : [
          `<rect class="overlap" x="${x(starts)}" y="${top}" width="${Math.max(2, x(overlapEnds) - x(starts))}" height="${bottom - top}"/>`,
          `<text class="small" x="${x(starts)}" y="${top - 6}">overlap until ${date(overlapEnds)}</text>`,
        ];
  const axis = ticks(from, to).map((time) => {
    return `<line class="axis" x1="${x(time)}" x2="${x(time)}" y1="${top}" y2="${bottom + 6}"/><text class="small" text-anchor="middle" x="${x(time)}" y="${bottom + 20}">${date(time).slice(0, 7)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 30}" width="${width}" height="${bottom + 30}" role="img">`,
    "<title>Keys of the archive over time</title>",
    style,
    ...overlap,
    ...axis,
    ...bars,
    `<line class="today" x1="${x(at)}" x2="${x(at)}" y1="${top - 16}" y2="${bottom}"/><text class="small" text-anchor="end" x="${x(at) - 4}" y="${top - 20}">today</text>`,
    "</svg>",
  ].join("\n");
}
