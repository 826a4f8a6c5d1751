/** Makes the commands that set up a machine to follow the archive: with feedkey, and with each stock client for the archive's formats. */
import type { Feed } from "../../profile/types.ts";
import { formatFeed } from "../../profile/write-profile.ts";
import { stockClients } from "../../rehearse/stock-clients.ts";
import { type SetupProgram, setupPrograms } from "../../stock/setup-item.ts";
import type { PageFacts } from "./facts.ts";

/** A part of a command: fixed text, or a value that the visitor's browser fills in. */
export type Piece = string | { readonly fill: "url" | "fingerprint" };

export interface SetUp {
  readonly title: string;
  readonly about: string;
  /** The parts of the command lines, in their order. */
  readonly pieces: readonly Piece[];
}

/** Returns a name for the profile, made from the archive's name. */
function profileName(archive: string): string {
  const plain = archive.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return plain.replace(/^-/, "").slice(0, 40).replace(/-$/, "") || "archive";
}

function ownClient(name: string, { feeds, keyservers }: PageFacts): SetUp {
  const servers = ` --keyservers ${keyservers.join(",") || "none"}`;
  const sections = feeds.map(({ feed }) => formatFeed(feed)).join("\n");
  return {
    title: "feedkey",
    about: "It follows the archive's keys by itself, asks key servers for revocations, and remembers what it accepted.",
    pieces: [
      "feedkey profile init ",
      { fill: "url" },
      " --fingerprint ",
      { fill: "fingerprint" },
      ` --name ${name}${servers} --feeds - <<'END'\n${sections}END\n`,
      `feedkey --profile ./${name}.ini update\n`,
      `feedkey --profile ./${name}.ini fetch PACKAGE\n`,
    ],
  };
}

/** Returns the name that `feedkey setup` has for a stock client; undefined if `feedkey setup` does not support the client. */
function programOf({ name, exported }: (typeof stockClients)[number]): SetupProgram | undefined {
  return setupPrograms.find((program) => program === name || program === exported);
}

/** Returns the option that names the feeds which a stock client reads, unless it reads every feed. */
function feedOption(feeds: readonly Feed[], all: readonly Feed[]): string {
  return feeds.length === all.length ? "" : ` --feed ${feeds.map(({ name }) => name).join(" ")}`;
}

/** Returns the options that give the suites and components of these feeds to `feedkey setup`. */
function suiteOptions(feeds: readonly Feed[]): string {
  const [suites, components] = [
    feeds.flatMap(({ suite }) => suite ?? []),
    feeds.flatMap((feed) => feed.components ?? []),
  ].map((names) => [...new Set(names)]);
  const option = (name: string, values: readonly string[] = []) =>
    values.map((value) => ` --${name} ${value}`).join("");
  return option("suite", suites) + option("component", components);
}

/** Returns the sets of commands for the page. The commands for feedkey come first, because the others need the profile that these make. */
export function setUps(facts: PageFacts): SetUp[] {
  const name = profileName(facts.name);
  const feeds = facts.feeds.map(({ feed }) => feed);
  const stock = stockClients.flatMap((client): SetUp[] => {
    const program = programOf(client);
    const read = feeds.filter(({ format }) => client.reads(format));
    // `feedkey setup` refuses a program that can read none of the archive's keys.
    if (program === undefined || !facts.readers.has(program) || read.length === 0) return [];
    return [
      {
        title: program,
        about: `Writes ${program}'s configuration and keyring, and a timer that keeps the keyring current. Needs the profile above.`,
        pieces: [
          `sudo feedkey setup ${program} --profile ./${name}.ini${feedOption(read, feeds)}${suiteOptions(read)}\n`,
        ],
      },
    ];
  });
  return [ownClient(name, facts), ...stock];
}
