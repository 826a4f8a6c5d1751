/**
 * The manual: a page for the program, one for each command, made from the commands themselves (as in `--help`) and the text in
 * man/; and the pages about the two configuration files and the trust rules, made from docs/. Written to dist/man.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { lexer } from "marked";
import { addCommands, allCommands } from "../dist/src/cli/commands.js";
import { examples } from "../dist/src/cli/help/examples.js";
import { helpSettings, pathOf } from "../dist/src/cli/help/help.js";
import { makeProgram } from "../dist/src/cli/program.js";
import { releaseDate } from "./installed-files.mjs";
import { argument, code, dropEmpty, literal, mdocOf, nameOf, sentence, wrap } from "./mdoc.mjs";

const folder = "dist/man";
const day = new Date(`${releaseDate()}T00:00:00Z`);
const month = day.toLocaleString("en", { month: "long", timeZone: "UTC" });

const program = makeProgram();
addCommands(
  allCommands,
  program,
  () => async () => undefined,
  async () => 0,
);
const helper = Object.assign(program.createHelp(), helpSettings);

/** Prose about a command, by its headings: the text of each, and what it adds about options. */
function readProse(name) {
  const sections = new Map();
  let section = { tokens: [], options: new Map() };
  sections.set("", section);
  for (const token of lexer(readFileSync(`man/${name}.md`, "utf8"))) {
    if (token.type === "heading" && token.depth === 1) continue;
    if (token.type === "heading") {
      section = { tokens: [], options: new Map() };
      sections.set(token.text, section);
    } else if (token.type === "list" && /^`--/.test(token.items[0].text)) {
      for (const { text } of token.items) {
        const [, flag, more] = /^`(--[a-z-]+)`: (.*)$/s.exec(text) ?? [];
        if (flag === undefined) throw new Error(`man/${name}.md: "${text}" is not about an option`);
        section.options.set(flag, more);
      }
    } else section.tokens.push(token);
  }
  return sections;
}

const general = readProse("feedkey");
const common = general.get("").options;

/** `-o, --output <dir>` as arguments of .It. */
function flagArguments({ flags }) {
  const [, names, value] = /^(.*?)(?: ([<[].*))?$/.exec(flags);
  const spelled = names
    .split(", ")
    .map((name) => literal(name.slice(1)))
    .join(" , ");
  return `Fl ${spelled}${value === undefined ? "" : ` ${argumentOf(value)}`}`;
}

/** `<file...>` or `[dir]` as macros. */
function argumentOf(text) {
  const [, open, name, dots] = /^([<[])(.*?)(\.\.\.)?[>\]]$/.exec(text);
  return `${open === "[" ? "Op " : ""}Ar ${name}${dots === undefined ? "" : " ..."}`;
}

function optionList(options, prose) {
  if (options.length === 0) return [];
  const unknown = new Set(prose.keys());
  const lines = options.flatMap((option) => {
    unknown.delete(option.long);
    const [, about, fallback] = /^(.*?)(?: \(default: "?(.*?)"?\))?$/.exec(helper.optionDescription(option));
    const text = `${sentence(about)}${fallback === undefined ? "" : ` Default: ${fallback}.`}`;
    const more = prose.get(option.long) ?? common.get(option.long) ?? "";
    return [`.It ${flagArguments(option)}`, ...wrap(literal(text)), ...mdocOf(lexer(more)).slice(1)];
  });
  if (unknown.size > 0) throw new Error(`man/ says something of ${[...unknown]}, which is no option there`);
  return [".Bl -tag -width Ds", ...lines, ".El"];
}

const ownOptions = (command) => helper.visibleOptions(command).filter(({ long }) => long !== "--help");

function usage(command) {
  const words = pathOf(command).split(" ").filter(Boolean);
  const values = command.registeredArguments.map((value) => {
    const text = `${value.name()}${value.variadic ? "..." : ""}`;
    return argumentOf(value.required ? `<${text}>` : `[${text}]`);
  });
  const cm = words.length > 0 ? [`.Cm ${words.join(" ")}`] : [];
  const op = ownOptions(command).length > 0 ? [".Op Ar options"] : [];
  return [".Nm feedkey", ...cm, ...op, ...values.map((value) => `.${value}`)];
}

function exampleLines(path) {
  const lines = examples[path] ?? [];
  if (lines.length === 0) throw new Error(`src/cli/help/examples.ts has no example of "${path}"`);
  return [".Bd -literal -offset indent", ...lines.map(code), ".Ed"];
}

function page(name, section, about, body) {
  const head = [
    `.Dd ${month} ${day.getUTCDate()}, ${day.getUTCFullYear()}`,
    `.Dt ${name.toUpperCase()} ${section}`,
    ".Os",
    ".Sh NAME",
    `.Nm ${name}`,
    `.Nd ${about}`,
  ];
  writeFileSync(`${folder}/${name}.${section}`, `${dropEmpty([...head, ...body]).join("\n")}\n`);
}

const pages = program.commands.map((command) => `feedkey-${command.name()} 1`);
const others = ["feedkey-archive 5", "feedkey-profile 5", "feedkey-trust 7"];

/** Names of other pages, those of lower sections first, as mandoc wants them. */
function seeAlso(names) {
  return [".Sh SEE ALSO", ...names.map((name, at) => `.Xr ${name}${at < names.length - 1 ? " ," : ""}`)];
}

function commandPage(command) {
  const name = command.name();
  const prose = readProse(name);
  const own = prose.get("");
  const inner = command.commands.flatMap((one) => {
    const { tokens = [], options = new Map() } = prose.get(one.name()) ?? {};
    prose.delete(one.name());
    const intro = tokens.length > 0 ? mdocOf(tokens) : wrap(literal(sentence(one.description())));
    const list = optionList(ownOptions(one), options);
    return [
      `.Ss ${pathOf(one)}`,
      ...usage(one),
      ".Pp",
      ...intro,
      ...list,
      ".Pp",
      "Example:",
      ...exampleLines(pathOf(one)),
    ];
  });
  prose.delete("");
  const options = optionList(ownOptions(command), own.options);
  const body = [
    ".Sh SYNOPSIS",
    ...usage(command),
    ...(inner.length > 0 ? [".Ar command"] : []),
    ".Sh DESCRIPTION",
    ...mdocOf(own.tokens),
    ...inner,
    ...(inner.length === 0 ? [".Sh OPTIONS", ...options, ".Pp", "The global options are in", ".Xr feedkey 1 ."] : []),
    ...[...prose].flatMap(([heading, { tokens }]) => [`.Sh ${nameOf(heading)}`, ...mdocOf(tokens)]),
    ...(inner.length === 0 ? [".Sh EXAMPLES", ...exampleLines(name)] : []),
    ...seeAlso(["feedkey 1", ...(name === "profile" ? ["feedkey-profile 5"] : []), "feedkey-trust 7"]),
  ];
  page(`feedkey-${name}`, 1, helper.subcommandDescription(command), body);
}

function programPage() {
  const headings = new Map();
  for (const command of program.commands) {
    const heading = command.helpGroup();
    headings.set(heading, [...(headings.get(heading) ?? []), command]);
  }
  const groups = [...headings].flatMap(([heading, commands]) => [
    `.Ss ${argument(heading.replace(/:$/, ""))}`,
    ".Bl -tag -width Ds",
    ...commands.flatMap((command) => [
      `.It Xr feedkey-${command.name()} 1`,
      ...wrap(literal(sentence(command.description()))),
    ]),
    ".El",
  ]);
  const options = new Map([...common].filter(([flag]) => program.options.some(({ long }) => long === flag)));
  const sections = [...general].filter(([heading]) => heading !== "");
  const written = (names) =>
    sections
      .filter(([heading]) => names.includes(heading))
      .flatMap(([heading, { tokens }]) => [`.Sh ${nameOf(heading)}`, ...mdocOf(tokens)]);
  page("feedkey", 1, "publish, verify and fetch signed package feeds whose keys may change", [
    ".Sh SYNOPSIS",
    ".Nm",
    ".Op Ar global options",
    ".Ar command",
    ".Op Ar options",
    ".Op Ar arguments",
    ".Sh DESCRIPTION",
    ...mdocOf(general.get("").tokens),
    ".Sh COMMANDS",
    ...groups,
    ".Sh GLOBAL OPTIONS",
    "They may come before or after the command.",
    ...optionList(helper.visibleOptions(program), options),
    ...written(["Environment", "Files", "Exit status"]),
    ".Sh EXAMPLES",
    ...exampleLines(""),
    ...seeAlso([...pages, "gpg 1", "gpgv 1", ...others].sort(bySection)),
    ...written(["Standards", "Bugs"]),
  ]);
}

function bySection(a, b) {
  const [first, second] = [a, b].map((name) => name.split(" ").reverse().join(" "));
  return first < second ? -1 : 1;
}

/** A page of docs/: the text before the first heading becomes the description. */
function documentPage(name, section, about, source) {
  const tokens = lexer(readFileSync(source, "utf8")).filter(({ type, depth }) => type !== "heading" || depth > 1);
  page(name, section, about, [
    ".Sh DESCRIPTION",
    ...mdocOf(tokens),
    ...seeAlso(["feedkey 1", ...others.filter((one) => one !== `${name} ${section}`)]),
  ]);
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
programPage();
for (const command of program.commands) commandPage(command);
documentPage("feedkey-profile", 5, "the archive that a feedkey client follows", "docs/profile.md");
documentPage("feedkey-archive", 5, "what feedkey publishes, from where, with which key", "docs/archive-ini.md");
documentPage("feedkey-trust", 7, "the rules by which feedkey trusts keys and indexes", "docs/trust-rules.md");

const known = new Set(["feedkey", ...program.commands.map((command) => command.name())]);
const strays = readdirSync("man").filter((file) => !known.has(file.replace(/\.md$/, "")));
if (strays.length > 0) throw new Error(`man/ has pages of no command: ${strays}`);
