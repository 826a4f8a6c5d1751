/**
 * Runs `feedkey export`: writes keyrings for stock clients, which can't follow the archive's keys themselves. Usually a timer
 * runs this command.
 */

import { didYouMean } from "../../did-you-mean.ts";
import { escapeText } from "../../escape.ts";
import { type ExportFormat, exportFormats } from "../../stock/export.ts";
import type { Context } from "../context.ts";
import { counted } from "../counted.ts";
import type { Outcome } from "../run.ts";
import { oneOf } from "../usage-error.ts";

interface ExportOptions {
  readonly for: string;
  /** False for `--no-refresh`: the user has just run `refresh`, so the client asks no server. */
  readonly refresh: boolean;
  readonly feed?: string[];
}

function formatOf(text: string): ExportFormat {
  const hint = didYouMean(text, exportFormats, `choose one of ${exportFormats.join(", ")}`);
  return oneOf(text, exportFormats, "export for", hint);
}

/** Returns the lines for each program's configuration that make the program use the keyring. */
const configuration: Readonly<Record<ExportFormat, (path: string) => string>> = {
  gpgv: (path) => `gpgv --keyring ${path} INDEX.sig INDEX`,
  apt: (path) => `Signed-By: ${path}`,
  dnf: (path) => `repo_gpgcheck=1\ngpgkey=file://${path}`,
  pacman: () => "SigLevel = DatabaseRequired DatabaseTrustedOnly PackageOptional PackageTrustedOnly",
  zypper: () => "repo_gpgcheck=1",
  opkg: (path) =>
    `option check_signature 1\noption signature_type gpg-asc\noption gpg_dir ${path}\noption gpg_trust_level TrustOnly`,
  pkg_install: (path) => `GPG_KEYRING_VERIFY=${path}`,
};

/** Writes the keyring and shows the configuration lines. @throws FeedkeyError `usage`, `output`, `unchecked_revocation` */
export async function exportTo(context: Context, path: string, options: ExportOptions): Promise<Outcome> {
  const format = formatOf(options.for);
  const terms = { justRefreshed: !options.refresh };
  return await context.withClient(async (client) => {
    const { errors: _, warnings: __, ...done } = await client.exportKeys(path, { for: format, feeds: options.feed });
    const changes = [...done.added.map((key) => `+ ${key}`), ...done.removed.map((key) => `- ${key}`)];
    const head = `${escapeText(done.path)}: ${counted(done.keys.length, "key")}, ${changes.length === 0 ? "unchanged" : "changed"}`;
    const lines = configuration[format](done.path);
    return {
      text: [head, ...changes, "", lines].join("\n"),
      json: { ...done, for: format, configuration: lines.split("\n") },
    };
  }, terms);
}
