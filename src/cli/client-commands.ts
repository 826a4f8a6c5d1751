/** Commands for clients. */
import type { Command } from "commander";
import type { ArchiveStatusOptions } from "./archive/archive-status.ts";
import type { Runner } from "./run.ts";
import { withWarnings } from "./shared-options.ts";

/** Adds the commands for clients. */
export function addClientCommands(program: Command, run: Runner): void {
  const profile = program.command("profile").description("profiles of archives");
  profile
    .command("list")
    .description("the available profiles")
    .action(run("profile", async () => (await import("./client/profile.ts")).list));
  profile
    .command("show [name]")
    .description("what a profile says")
    .action(run("profile", async () => (await import("./client/profile.ts")).show));
  profile
    .command("check [name]")
    .description("check a profile and its keyring")
    .action(run("profile", async () => (await import("./client/profile.ts")).check));
  profile
    .command("add-seed <fingerprint...>")
    .description("add keys of the archive's bundle to the seeds of the profile")
    .action(run("profile", async () => (await import("./client/profile.ts")).addSeed));
  profile
    .command("init <url>")
    .description("write a profile from an archive's bundle, for a fingerprint")
    .requiredOption("--fingerprint <fpr...>", "full fingerprint of the archive's key, from a source you trust")
    .option("--name <name>", "name of the profile (default: the host)")
    .option("--feed <name=path...>", "feeds of the archive")
    .option("--format <format>", "the format of the feeds: opkg or pkgsrc", "opkg")
    .option("--keyservers <urls>", "hkps://..., comma-separated, or none (default: none)")
    .option("--ca <file>", "authorities of the archive's own servers, besides the system's (PEM)")
    .option("--keyserver-ca <file>", "authorities of the key servers, besides the system's (PEM)")
    .option("-o, --output <dir>", "where to write it", ".")
    .option("--force", "replace a profile that is there already")
    .action(run("profile", async () => (await import("./client/profile-init.ts")).init));
  program
    .command("refresh")
    .description("ask the key servers and the archive for successors and revocations")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("refresh", async () => (await import("./client/chain.ts")).refresh));
  program
    .command("chain")
    .description("how a seed leads to each trusted key, and why the other keys are not trusted")
    .option("--svg", "a picture for a browser")
    .option("--dot", "a graph for Graphviz")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("chain", async () => (await import("./client/chain.ts")).chain));
  program
    .command("export <path>")
    .description("write the keys that may sign now, for another program")
    .requiredOption("--for <program>", "gpgv, apt, dnf, zypper, pacman, opkg or pkg_install")
    .option("--feed <name...>", "a keyring for these feeds only (default: every feed of the profile)")
    .option("--no-refresh", "ask no server: refresh has just been run")
    .action(run("export", async () => (await import("./client/export.ts")).exportTo));
  program
    .command("setup <program>")
    .description("set up opkg, pkg_install, apt, dnf, zypper or pacman: write configuration, keyring and timer")
    .option("--root <dir>", "the root of the system to set up", "/")
    .option("--timer <kind>", "systemd, cron or none (default: what that system has)")
    .option("--no-keyring", "leave the keyring to the timer's first run")
    .option("--feed <name...>", "for these feeds only (default: every feed of the profile)")
    .option("--suite <name...>", "for apt: suites (default: the profile's variable suite)")
    .option("--component <name...>", "for apt: components (default: the profile's variable component)")
    .option("--prefix <dir>", "for pkg_install: the prefix of pkgsrc (default: where pkg_install is found)")
    .option("--gpgcheck", "for dnf and zypper: require a signature on each package too")
    .option("--feedkey <path>", "path of feedkey in that system")
    .option("--remove", "undo the setup: remove everything that has not been changed since")
    .option("--dry-run", "print the plan and change nothing")
    .action(run("setup", async () => (await import("./client/setup.ts")).setup));
  withWarnings(program.command("status"))
    .description("age and expiry of feeds and keys, and what will break when; asks no server")
    .option(
      "--config <file>",
      "archive.ini of your archive: show which keys and delegations end soon; exits 1 if any does",
    )
    .option("--prometheus", "metrics for the textfile collector of Prometheus")
    .action((options: ArchiveStatusOptions) => {
      if (options.config === undefined && options.warnWithin === undefined)
        return run("status", async () => (await import("./client/status.ts")).status)(options);
      return run("archive-status", async () => (await import("./archive/archive-status.ts")).archiveStatus)(options);
    });
  program
    .command("update [feed...]")
    .description("download and verify the indexes")
    .option("--allow-empty", "accept an index that became empty")
    .option("--allow-releaseinfo-change", "accept an apt repository whose Origin, Label or Codename changed")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("update", async () => (await import("./client/update.ts")).update));
  program
    .command("list [pattern...]")
    .description("packages of the accepted indexes, by name; * and ? match any letters")
    .option("--feed <name...>", "only of these feeds")
    .action(run("list", async () => (await import("./client/list.ts")).list));
  program
    .command("search <word...>")
    .description("packages of the accepted indexes whose name or description has all the words")
    .option("--feed <name...>", "only of these feeds")
    .action(run("search", async () => (await import("./client/list.ts")).search));
  program
    .command("show <package>")
    .description("what the accepted indexes say about a package, and who signed them")
    .option("--feed <name...>", "only of these feeds")
    .action(run("show", async () => (await import("./client/list.ts")).show));
  program
    .command("fetch [package...]")
    .description("download and verify packages (NAME or NAME=VERSION, with wildcards) of verified indexes")
    .option("-o, --output <dir>", "where to put them", ".")
    .option("--feed <name...>", "only from these feeds")
    .option("--all", "every package of the feeds, in every version")
    .option("--latest", "every package of the feeds, in its newest version")
    .option("--with-depends", "what the packages need too, as far as the feeds have it")
    .option("--cache <dir>", "a folder of packages that several runs share, of 4 GiB at most")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("fetch", async () => (await import("./client/fetch.ts")).fetch));
  program
    .command("mirror <feed> <dir> [package...]")
    .description("a verified mirror of a feed, or of some of its packages (NAME or NAME=VERSION, with wildcards)")
    .option("--latest", "every package in its newest version only")
    .option("--with-depends", "what the packages need too")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("mirror", async () => (await import("./client/mirror.ts")).mirror));
  program
    .command("verify <index> [package-file...]")
    .description("verify a local index, and package files against it")
    .option("--signature <file>", "its signature (default: INDEX.sig, then INDEX.asc)")
    .option("--feed <name>", "which feed of the profile it is")
    .option("--packages <dir>", "check every listed file below a folder, refuse packages that are not listed")
    .option("--complete", "with --packages: refuse missing ones too")
    .option("--allow-empty", "accept an index that became empty")
    .option("--no-state", "an audit: compare with no earlier index and record nothing")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("verify", async () => (await import("./client/verify.ts")).verify));
  program
    .command("verify-package <file...>")
    .description("verify signed pkgsrc packages")
    .option("-o, --output <file>", "write the package inside to a file once all of it is verified")
    .option("--feed <name>", "the feed of the packages: delegates sign for some feeds only")
    .option("--no-state", "an audit: record nothing")
    .option("--reset-state", "forget everything and start from the seeds")
    .action(run("verify-package", async () => (await import("./client/verify-package.ts")).verifyPackage));
}
