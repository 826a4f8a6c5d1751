/** `feedkey serve`: a small archive server, good enough for a LAN. */
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { FeedkeyError, systemCode } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { startServer } from "../../keyserver/server.ts";
import { keyMerger } from "../../openpgp/check/key-merger.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";

export interface ServeOptions {
  readonly host: string;
  readonly port: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** True: a key server in memory; a folder: one that remembers. */
  readonly keyserver?: true | string;
}

async function readPem(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new FeedkeyError("not_found", `${escapeText(path)} can't be read`, {
      cause,
      details: { path, reason: systemCode(cause) },
    });
  }
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw new FeedkeyError("usage", `"${text}" is no port`, {
    hint: "give a number from 0 to 65535; 0 takes a free one",
  });
}

async function tlsOf({ tlsCert, tlsKey }: ServeOptions) {
  if (tlsCert === undefined && tlsKey === undefined) return {};
  if (tlsCert === undefined || tlsKey === undefined)
    throw new FeedkeyError("usage", "--tls-cert and --tls-key go together");
  return { tls: { cert: await readPem(tlsCert), key: await readPem(tlsKey) } };
}

/** Serves until a signal ends it. */
export async function serve(context: Context, folder: string, options: ServeOptions): Promise<Outcome> {
  const root = resolve(folder);
  const found = await stat(root).catch(() => undefined);
  if (found?.isDirectory() !== true) {
    throw new FeedkeyError("not_found", `there is no folder ${escapeText(root)}`, {
      details: { path: root },
      hint: "give the folder that holds the archive",
    });
  }
  const { host, keyserver } = options;
  if (typeof keyserver === "string" && /^[a-z][a-z0-9+.-]*:\/\//i.test(keyserver)) {
    throw new FeedkeyError("usage", `--keyserver is for a folder that keeps keys, not for an address: ${keyserver}`, {
      hint: "give --keyserver DIR, or --keyserver alone to keep the keys in memory",
    });
  }
  const merger =
    keyserver === undefined
      ? {}
      : { keyserver: { folder: keyserver === true ? undefined : resolve(keyserver), merger: keyMerger } };
  const server = await startServer({ root, host, port: portOf(options.port), ...(await tlsOf(options)), ...merger });
  if (keyserver === true)
    context.reporter.warn("the key server keeps keys in memory only; give --keyserver DIR to keep them");
  context.reporter.line("note", `serving ${escapeText(root)} at ${server.url}; stop with Ctrl-C`);
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, done);
  });
  await server.close();
  return { text: "", json: { url: server.url } };
}
