/** Writing .zst: Node has nothing for it before version 22; the library is zstd itself, made into WebAssembly. */

/** Beyond it the text of an index gets no smaller for a long time, only slower. */
const level = 9;

// Once for all: begun a second time, the library goes on before it is ready.
let library: Promise<typeof import("@bokuweb/zstd-wasm")> | undefined;

async function load() {
  const loaded = await import("@bokuweb/zstd-wasm");
  await loaded.init();
  return loaded;
}

/** As `zstd -9` does it, with the content's size in the frame: the same bytes each time. */
export async function compressZstd(content: Uint8Array): Promise<Uint8Array> {
  library ??= load();
  return (await library).compress(content, level);
}
