/** A pkgsrc feed, usually `All/`: `pkg_summary.gz` and its other forms, each of which has its own signatures. */
import { formats } from "../../formats/formats.ts";
import { addFileFacts, lackingVariables } from "../../formats/pkgsrc/package-summary.ts";
import type { SummaryForm } from "../../profile/types.ts";
import type { FeedLayout, SignedFile } from "../feed-layout.ts";
import { compressIndex } from "../index-compression.ts";
import { holdsText, planOtherForms, summaryText } from "../summary-files.ts";

const format = formats.pkgsrc;

export const pkgsrcFeed: FeedLayout = {
  signed: format.published,

  stanzaOf({ own, size, sha256 }, path) {
    return { own: addFileFacts(own, { filename: path, size, sha256 }), added: "" };
  },

  lacking: lackingVariables,

  compareVersions: format.compareVersions,

  textOf: summaryText,

  read: format.read,

  async files({ feed, folder, text, before, isOwn }) {
    const main = await formOf("gz", before, text, isOwn);
    const further: Form[] = [];
    for (const form of (feed.compress ?? []).filter((one) => one !== "gz")) {
      further.push(await formOf(form, await folder.read(`${format.index}.${form}`), text, isOwn));
    }
    const all = [main, ...further];
    const others = await planOtherForms(folder, text, all, isOwn);
    const writes = all.filter(({ isNew }) => isNew).map(({ name, bytes }) => ({ name, data: bytes }));
    return { signed: [main, ...further, ...others.signed], writes, removes: others.removes };
  },
};

interface Form extends SignedFile {
  readonly isNew: boolean;
}

async function formOf(
  form: SummaryForm,
  there: Uint8Array | undefined,
  text: Uint8Array,
  isOwn: (file: SignedFile) => Promise<boolean>,
): Promise<Form> {
  const name = `${format.index}.${form}`;
  // Another program, or an earlier version of this one, may have compressed it differently: the file that clients have cached
  // stays if it is the archive's own. Other files are not even decompressed.
  if (there !== undefined && (await isOwn({ name, bytes: there })) && (await holdsText(name, there, text))) {
    return { name, bytes: there, isNew: false };
  }
  const bytes = await compressIndex(text, form);
  return { name, bytes, isNew: there === undefined || Buffer.compare(there, bytes) !== 0 };
}
