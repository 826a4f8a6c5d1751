/** `feedkey export`: for stock clients that know nothing of chains; run it from a timer. */
import { type Exported, type ExportFormat, exportFormats, exportKeys } from "../client/export.ts";
import { refresh } from "../client/refresh.ts";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { Profile } from "../profile/types.ts";
import type { Context } from "./context.ts";
import type { Outcome } from "./run.ts";

export interface ExportOptions {
  readonly for: string;
  /** False: a `refresh` has just been run, and nobody is asked again. */
  readonly refresh: boolean;
}

function formatOf(text: string): ExportFormat {
  const found = exportFormats.find((format) => format === text);
  if (found !== undefined) return found;
  throw new FeedkeyError("usage", `there is no export for "${escapeText(text)}"`, {
    hint: `choose one of ${exportFormats.join(", ")}`,
  });
}

/** The lines of the program's own configuration that name the export. */
const configuration: Readonly<Record<ExportFormat, (path: string) => string>> = {
  gpgv: (path) => `gpgv --keyring ${path} INDEX.sig INDEX`,
  apt: (path) => `Signed-By: ${path}`,
  opkg: (path) =>
    `option check_signature 1\noption signature_type gpg-asc\noption gpg_dir ${path}\noption gpg_trust_level TrustOnly`,
  pkg_install: (path) => `GPG_KEYRING_VERIFY=${path}`,
};

/** Says what an export leaves out, and what the program will not do with it. */
export function warnOfExport(
  { reporter }: Context,
  { trust }: Profile,
  format: ExportFormat,
  { left, keys }: Exported,
): void {
  for (const { fingerprint, reason } of left) {
    reporter.warn(`${fingerprint} is left out of the export for ${format}: ${reason}`);
  }
  if (trust.threshold > 1)
    reporter.warn(`the profile asks for ${trust.threshold} signers, but ${format} is content with one of them`);
  if (keys.length === 0)
    reporter.warn("no key may sign now: the export is empty, and the program will refuse everything");
}

/** Writes the keyring and shows the lines of configuration. @throws FeedkeyError `usage`, `output`, `unchecked_revocation` */
export async function exportTo(context: Context, path: string, options: ExportOptions): Promise<Outcome> {
  const format = formatOf(options.for);
  return await context.withSession({ justRefreshed: !options.refresh }, async (session) => {
    const judged = await refresh(session);
    const done = await exportKeys(session, judged, format, path);
    warnOfExport(context, session.profile, format, done);
    const changes = [...done.added.map((key) => `+ ${key}`), ...done.removed.map((key) => `- ${key}`)];
    const head = `${escapeText(done.path)}: ${done.keys.length} keys, ${changes.length === 0 ? "unchanged" : "changed"}`;
    const lines = configuration[format](done.path);
    return {
      text: [head, ...changes, "", lines].join("\n"),
      json: { ...done, for: format, configuration: lines.split("\n") },
    };
  });
}
