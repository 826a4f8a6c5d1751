/** A line chart with two logarithmic axes, as SVG: linear growth is a line at 45 degrees. */
import { number } from "./size.ts";

export interface Series {
  readonly name: string;
  /** Positive numbers, from left to right. */
  readonly points: readonly (readonly [across: number, up: number])[];
}

export interface ChartOptions {
  /** The description for screen readers. */
  readonly title: string;
  readonly across: string;
  readonly up: string;
  readonly series: readonly Series[];
}

const [width, height] = [480, 300];
const margin = { left: 60, right: 30, top: 15, bottom: 50 };
/** Colours that colour-blind people can distinguish too; more series need more colours. */
const colors = ["#0072b2", "#d55e00", "#009e73"];

/** The position of a number, from 0 to 1, on an axis whose ends are powers of ten, and the ticks in between. */
function axisOf(numbers: readonly number[]) {
  const exponents = numbers.map(Math.log10).sort((a, b) => a - b);
  const first = Math.floor(exponents[0] ?? 0);
  const last = Math.max(first + 1, Math.ceil(exponents.at(-1) ?? 1));
  const place = (value: number) => (Math.log10(value) - first) / (last - first);
  const powers = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  const between = powers.slice(0, -1).flatMap((power) => [2, 3, 4, 5, 6, 7, 8, 9].map((times) => power * times));
  return { place, powers, between };
}

/** Draws series of points. @returns an SVG document */
export function chart({ title, across, up, series }: ChartOptions): string {
  const all = series.flatMap(({ points }) => points);
  const [x, y] = [axisOf(all.map(([value]) => value)), axisOf(all.map(([, value]) => value))];
  const left = (value: number) => (margin.left + x.place(value) * width).toFixed(1);
  const top = (value: number) => (margin.top + (1 - y.place(value)) * height).toFixed(1);
  const [right, bottom] = [margin.left + width, margin.top + height];
  const grid = (values: readonly number[], color: string, axis: "x" | "y") => {
    return values.map((value) => {
      const line = axis === "x" ? `M${left(value)},${margin.top}V${bottom}` : `M${margin.left},${top(value)}H${right}`;
      return `<path d="${line}" stroke="${color}"/>`;
    });
  };
  const drawn = series.map(({ name, points }, place) => {
    const color = colors[place % colors.length];
    const corners = points.map(([a, b]) => `${left(a)},${top(b)}`).join(" ");
    const dots = points.map(([a, b]) => `<circle cx="${left(a)}" cy="${top(b)}" r="3.5" fill="${color}"/>`);
    const level = margin.top + 20 + place * 20;
    return [
      `<polyline points="${corners}" fill="none" stroke="${color}" stroke-width="2"/>`,
      ...dots,
      `<path d="M${margin.left + 12},${level}h24" stroke="${color}" stroke-width="2"/>`,
      `<text x="${margin.left + 44}" y="${level + 4}">${name}</text>`,
    ].join("\n");
  });
  const [middle, centre] = [margin.left + width / 2, margin.top + height / 2];
  const size = [right + margin.right, bottom + margin.bottom];
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size.join(" ")}" font-family="sans-serif" font-size="12" fill="black">`,
    `<title>${title}</title>`,
    `<rect width="${size[0]}" height="${size[1]}" fill="white"/>`,
    ...grid(x.between, "#eee", "x"),
    ...grid(y.between, "#eee", "y"),
    ...grid(x.powers, "#bbb", "x"),
    ...grid(y.powers, "#bbb", "y"),
    ...x.powers.map(
      (value) => `<text x="${left(value)}" y="${bottom + 18}" text-anchor="middle">${number(value)}</text>`,
    ),
    ...y.powers.map(
      (value) => `<text x="${margin.left - 8}" y="${Number(top(value)) + 4}" text-anchor="end">${number(value)}</text>`,
    ),
    `<text x="${middle}" y="${bottom + 40}" text-anchor="middle" font-weight="bold">${across}</text>`,
    `<text transform="translate(16,${centre})rotate(-90)" text-anchor="middle" font-weight="bold">${up}</text>`,
    ...drawn,
    "</svg>",
  ].join("\n")}\n`;
}
