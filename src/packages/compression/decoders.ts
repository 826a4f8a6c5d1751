/**
 * The decoders for all compression formats that feedkey reads. The trust page, which runs in browsers, has fewer decoders
 * (`page/engine/decoders.ts`).
 */
import type { Compression } from "../../formats/format.ts";
import { unbzip2 } from "./bzip2.ts";
import { gunzip } from "./gzip.ts";
import { unxz } from "./xz.ts";
import { unzstd } from "./zstd.ts";

/** Decompresses bytes. @throws Undecodable if the content exceeds `limit` bytes, or for bytes after the end or damage */
type Decoder = (bytes: Uint8Array, limit: number) => Uint8Array | Promise<Uint8Array>;

export const decoders: Readonly<Partial<Record<Exclude<Compression, "none">, Decoder>>> = {
  gzip: gunzip,
  xz: unxz,
  zstd: unzstd,
  bzip2: (bytes, limit) => unbzip2([bytes], limit),
};
