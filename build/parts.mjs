/**
 * The program in two parts: what clients run all day, and the rest, which is loaded when a command of it is called.
 * Starting costs time for each byte that is loaded (measured: 10 ms less of 60). A module that both parts use is in the first
 * one, and the second has it from there: there is one of each, so that classes and caches are the same.
 */
import { join, relative } from "node:path";
import { build } from "esbuild";

/** What a client's timer or installer calls; their modules are in the first part. */
const quick = ["verify", "update", "fetch", "chain"];

/** Bundles the program into `feedkey.cjs` and `keepers.cjs`. @param options esbuild's, for both */
export async function buildParts(root, folder, options) {
  const source = join(root, "dist/src");
  const main = join(source, "cli/main.js");
  const late = new Set();

  /** Commands that are not quick ones become calls of the other part. */
  const callOthers = {
    name: "call-others",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.\/[a-z-]+\.js$/ }, ({ path, kind, importer, resolveDir }) => {
        const isCommand = kind === "dynamic-import" && /\/cli\/[a-z-]+-commands\.js$/.test(importer);
        if (!isCommand || quick.includes(path.slice(2, -3))) return undefined;
        const file = join(resolveDir, path);
        late.add(file);
        return { path: file, namespace: "others" };
      });
      onResolve({ filter: /^\.\/keepers$/ }, ({ path }) => ({ path, external: true }));
      onLoad({ filter: /.*/, namespace: "others" }, ({ path }) => ({
        contents: `module.exports = require("./keepers").modules[${JSON.stringify(relative(source, path))}]();`,
      }));
    },
  };
  const list = (files) => {
    const lines = files.map(
      (file) => `${JSON.stringify(relative(source, file))}: () => require(${JSON.stringify(file)})`,
    );
    return `{ ${lines.join(",\n")} }`;
  };
  const inputs = ({ metafile }) => Object.keys(metafile.inputs).filter((name) => !name.includes(":"));
  const dry = { ...options, write: false, metafile: true, absWorkingDir: root };
  const first = inputs(
    await build({ ...dry, entryPoints: [main], outdir: folder, plugins: [callOthers, ...options.plugins] }),
  );
  const entry = (contents) => ({ stdin: { contents, resolveDir: source, sourcefile: "entry.js" } });
  const modules = `export const modules = ${list([...late])};`;
  const second = inputs(await build({ ...dry, ...entry(modules), outdir: folder }));
  const shared = new Set(first.filter((name) => second.includes(name)).map((name) => join(root, name)));

  /** What the first part has is asked of it. */
  const askFirst = {
    name: "ask-first",
    setup({ onResolve, onLoad, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, kind, resolveDir, namespace, pluginData }) => {
        if (path === "./feedkey") return { path, external: true };
        if (namespace === "first" || pluginData === askFirst) return undefined;
        const found = await resolve(path, { kind, resolveDir, pluginData: askFirst });
        // By the ending its text is taken for CommonJS, whatever the module itself is.
        return shared.has(found.path) ? { path: `${relative(source, found.path)}.cjs`, namespace: "first" } : undefined;
      });
      onLoad({ filter: /.*/, namespace: "first" }, ({ path }) => ({
        contents: `module.exports = require("./feedkey").shared[${JSON.stringify(path.slice(0, -4))}]();`,
      }));
    },
  };
  await build({
    ...options,
    ...entry(`export { main } from ${JSON.stringify(main)};\nexport const shared = ${list([...shared])};`),
    outfile: join(folder, "feedkey.cjs"),
    plugins: [callOthers, ...options.plugins],
  });
  await build({
    ...options,
    ...entry(modules),
    outfile: join(folder, "keepers.cjs"),
    plugins: [askFirst, ...options.plugins],
  });
}
