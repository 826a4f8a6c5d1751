/** Publishes a pkgsrc feed, usually `All/`: `pkg_summary.gz` and its other forms. Each form has its own signatures. */
import { formats } from "../../formats/formats.ts";
import { addFileFacts, lackingVariables } from "../../formats/pkgsrc/package-summary.ts";
import { checkSummary } from "../../formats/pkgsrc/summary-text.ts";
import { HashedDocument } from "../../openpgp/packet/hashed-document.ts";
import type { SummaryForm } from "../../profile/types.ts";
import type { FeedLayout, SignedFile } from "../feed-layout.ts";
import { changedFiles } from "../index-text/index-forms.ts";
import { holdsText, planOtherForms, summaryText } from "../summary-files.ts";

const format = formats.pkgsrc;
const list = format.index;

export const pkgsrcFeed: FeedLayout = {
  signed: format.published,

  stanzaOf({ own, size, sha256 }, path) {
    return { own: addFileFacts(own, { filename: path, size, sha256 }), added: "" };
  },

  lacking: lackingVariables,

  compareVersions: format.compareVersions,

  textsOf: async (signed) => new Map([[list, new HashedDocument(await summaryText(signed.bytes))]]),

  read: format.read,

  check: checkSummary,

  async files({ feed, folder, index, isOwn }) {
    const forms = [...new Set<SummaryForm>(["gz", ...(feed.compress ?? [])])];
    const text = () => index.text(list);
    const signed: SignedFile[] = [];
    for (const form of forms) {
      const name = `${list}.${form}`;
      const there = async () => {
        const document = await folder.document(name);
        // Another program, or an earlier version of feedkey, may have compressed this file differently. The archive's own file stays,
        // because clients have the file in their caches. feedkey does not even decompress another program's file.
        const stays =
          document !== undefined &&
          (await isOwn({ name, document })) &&
          (await holdsText(name, document, await text()));
        return stays ? document : undefined;
      };
      signed.push({ name, document: await index.compressed(list, form, there) });
    }
    const others = await planOtherForms(folder, text, signed, isOwn);
    const [main, ...further] = signed as [SignedFile, ...SignedFile[]];
    return {
      signed: [main, ...further, ...others.signed],
      writes: await changedFiles(folder, signed),
      removes: others.removes,
    };
  },
};
