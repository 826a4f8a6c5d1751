/**
 * `npm run picture` (`node dist/bench/picture.js [FILE.svg]`): the folders of `src/` and who imports whom, read from the
 * imports themselves; docs/architecture.svg by default. An arrow that points up would be drawn in red.
 */
import * as fs from "node:fs";
import { below } from "../test/house/layers.ts";
import { importsOf, partOf, sourceFiles } from "../test/house/source.ts";

interface Folder {
  readonly name: string;
  readonly files: number;
  readonly lines: number;
  /** Imports of each other folder, counted. */
  readonly imports: ReadonlyMap<string, number>;
}

const box = { width: 150, height: 46 };
const gap = { across: 40, down: 62 };
const margin = 24;

/** The folders in the order of `layers.ts`, the lowest first. */
function readFolders(): Folder[] {
  const files = sourceFiles("src").map((file) => ({ ...file, part: partOf(file.path) }));
  return Object.keys(below).map((name) => {
    const own = files.filter(({ part }) => part === name);
    const imports = new Map<string, number>();
    for (const target of own.flatMap(importsOf).map((path) => (path.startsWith("src/") ? partOf(path) : ""))) {
      if (target !== name && target in below) imports.set(target, (imports.get(target) ?? 0) + 1);
    }
    const lines = own.reduce((sum, { text }) => sum + text.split("\n").length - 1, 0);
    return { name, files: own.length, lines, imports };
  });
}

/** The level of each folder: one more than the highest level that it may import. */
function floors(): Map<string, number> {
  const found = new Map<string, number>();
  const floorOf = (name: string): number => {
    const known = found.get(name);
    if (known !== undefined) return known;
    const floor = Math.max(0, ...(below[name] ?? []).map((lower) => floorOf(lower) + 1));
    found.set(name, floor);
    return floor;
  };
  for (const name of Object.keys(below)) floorOf(name);
  return found;
}

/** The centre of each box, the highest level on top. */
function layOut(folders: readonly Folder[]) {
  const floor = floors();
  const top = Math.max(...floor.values());
  const rows = Array.from({ length: top + 1 }, (_, i) => folders.filter(({ name }) => floor.get(name) === top - i));
  const widest = Math.max(...rows.map((row) => row.length)) + 1;
  const width = widest * (box.width + gap.across);
  const places = rows.flatMap((row, down) => {
    const taken = row.length * (box.width + gap.across) - gap.across;
    // Every other level is shifted a little, so that arrows pass between the boxes.
    const left = (width - taken) / 2 + (down % 2 === 0 ? 0 : box.width / 3);
    return row.map(({ name }, across) => {
      const x = margin + left + across * (box.width + gap.across) + box.width / 2;
      return [name, { x, y: margin + down * (box.height + gap.down) + box.height / 2 }] as const;
    });
  });
  return { places: new Map(places), width: width + 2 * margin, height: rows.length * (box.height + gap.down) };
}

/** Folders that `name` reaches through others. */
function reachedOverOthers(name: string, folders: ReadonlyMap<string, Folder>): Set<string> {
  const reached = new Set<string>();
  const walk = (from: string): void => {
    for (const next of folders.get(from)?.imports.keys() ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      walk(next);
    }
  };
  for (const next of folders.get(name)?.imports.keys() ?? []) walk(next);
  return reached;
}

function draw(folders: readonly Folder[]): string {
  const { places, width, height } = layOut(folders);
  const byName = new Map(folders.map((folder) => [folder.name, folder]));
  const arrows = folders.flatMap(({ name, imports }) => {
    const longWay = reachedOverOthers(name, byName);
    return [...imports].map(([target, count]) => {
      const [from, to] = [places.get(name), places.get(target)];
      if (from === undefined || to === undefined) throw new Error(`${target} has no place in the picture`);
      const up = to.y <= from.y;
      const color = up ? "#c00000" : longWay.has(target) ? "#d0d7de" : "#57606a";
      const line = `M${from.x},${from.y + box.height / 2}L${to.x},${to.y - box.height / 2 - 6}`;
      const head = longWay.has(target) ? "faint" : "strong";
      const title = `<title>${name} imports ${target} ${count} times</title>`;
      const path = `<path d="${line}" stroke="${color}" marker-end="url(#${head})" fill="none">${title}</path>`;
      return { path, strong: up || !longWay.has(target) };
    });
  });
  const boxes = folders.map(({ name, files, lines }) => {
    const { x = 0, y = 0 } = places.get(name) ?? {};
    const [left, top] = [x - box.width / 2, y - box.height / 2];
    return [
      `<rect x="${left}" y="${top}" width="${box.width}" height="${box.height}" rx="6" fill="#f6f8fa" stroke="#57606a"/>`,
      `<text x="${x}" y="${y - 3}" font-weight="bold">${name}</text>`,
      `<text x="${x}" y="${y + 14}" font-size="11">${files} files, ${lines.toLocaleString("en")} lines</text>`,
    ].join("\n");
  });
  const marker = (id: string, color: string) =>
    `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0,0L8,4L0,8z" fill="${color}"/></marker>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="14" text-anchor="middle">`,
    "<title>The folders of src/ and their imports, all of which point down</title>",
    `<defs>${marker("strong", "#57606a")}${marker("faint", "#d0d7de")}</defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...arrows.filter(({ strong }) => !strong).map(({ path }) => path),
    ...arrows.filter(({ strong }) => strong).map(({ path }) => path),
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}

const [, , target = "docs/architecture.svg"] = process.argv;
fs.writeFileSync(target, draw(readFolders()));
console.log(`wrote ${target}`);
