/**
 * Sets up opkg: writes a configuration file beside opkg.conf, and a GnuPG home. opkg reads all files etc/opkg/*.conf as one configuration.
 */
import {
  type Configured,
  contradiction,
  feedsIn,
  feedUrl,
  inTarget,
  type Terms,
  textFile,
  textsIn,
  written,
} from "./setup-item.ts";

const home = "etc/opkg/gpg";
const conf = "etc/opkg/feedkey.conf";

/** A line of opkg.conf: `option NAME VALUE`, `src/gz NAME URL`; each word may be in double quotes. */
interface Line {
  readonly path: string;
  readonly type: string;
  readonly name: string;
  readonly value: string;
}

function readLines({ path, text }: { readonly path: string; readonly text: string }): Line[] {
  return text.split("\n").flatMap((line) => {
    if (/^\s*(#|$)/.test(line)) return [];
    const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
    const [type = "", name = "", value = ""] = words;
    return [{ path, type, name, value }];
  });
}

/**
 * Returns the lines that feedkey must write. It leaves out lines that another file already has, because opkg warns of duplicate lines and
 * keeps only the first.
 */
function missingLines(wanted: readonly Omit<Line, "path">[], there: readonly Line[]): string[] {
  const lines: string[] = [];
  for (const { type, name, value } of wanted) {
    const isFeed = type !== "option";
    const same = there.filter((line) => {
      return line.name === name && (isFeed ? /^src(\/gz)?$/.test(line.type) : line.type === "option");
    });
    // In opkg, the option `check_signature` switches the check on, whatever the option's value. So another value does not conflict.
    const other = same.find((line) => line.value.replace(/\/$/, "") !== value && name !== "check_signature");
    if (other !== undefined) {
      const what = isFeed ? `a feed "${name}" of its own` : `"${name} ${other.value}"`;
      throw contradiction(
        other.path,
        `has ${what}, and opkg uses only the first line with this name`,
        "remove that line, or write the same value into it",
      );
    }
    if (same.length === 0) lines.push(`${type} ${name} ${value}`);
  }
  return lines;
}

/** The forms of a signature that opkg can request: armored and binary. */
const forms = ["gpg-asc", "gpg"];

/**
 * Returns opkg's configuration.
 * @throws FeedkeyError `bad_profile` if the profile has no opkg feed; `bad_config` if another file conflicts
 */
export async function configureOpkg({ profile, root, only }: Terms): Promise<Configured> {
  const { feeds, left } = feedsIn("opkg", profile);
  const there = (await textsIn(root, "etc/opkg", [".conf"], conf)).flatMap(readLines);
  // The first option `signature_type` with a known form counts. Without this option, opkg requests the binary form.
  const form = there.find(
    ({ type, name, value }) => type === "option" && name === "signature_type" && forms.includes(value),
  );
  const option = (name: string, value: string) => ({ type: "option", name, value });
  const wanted = [
    option("check_signature", "1"),
    option("signature_type", form?.value ?? "gpg-asc"),
    option("gpg_dir", inTarget(home)),
    option("gpg_trust_level", "TrustOnly"),
    ...feeds.map((feed) => ({ type: "src/gz", name: feed.name, value: feedUrl(profile, feed) })),
  ];
  const lines = missingLines(wanted, there);
  const names = new Set(feeds.map(({ name }) => name));
  const strangers = there.filter(({ type, name }) => /^src(\/gz)?$/.test(type) && !names.has(name));
  const others = strangers.map(({ name, path }) => {
    return `opkg checks every feed with the same keys, so ${name} in ${inTarget(path)} must also be signed by one of the archive's keys`;
  });
  const relative = feeds.filter(({ packages }) => packages === "archive");
  const unreachable = relative.map(({ name }) => {
    return `the paths of packages in feed ${name} are relative to the archive, but opkg looks for them below the feed and finds none`;
  });
  const binary =
    form?.value !== "gpg"
      ? []
      : [
          `${inTarget(form.path)} has signature_type gpg: opkg will ask for Packages.sig, which the archive must publish`,
        ];
  const ofPackages = there
    .filter(({ type, name }) => type === "option" && name === "check_pkg_signature")
    .map(({ path }) => {
      return `${inTarget(path)} has check_pkg_signature: opkg will ask for a signature beside each package, which feedkey does not write`;
    });
  return {
    keyrings: [{ path: home, feeds: only }],
    items: [{ kind: "export", path: home }, textFile(conf, [written("opkg", profile.name), ...lines])],
    warnings: [...binary, ...ofPackages, ...left, ...unreachable, ...others],
    byHand: [],
  };
}
