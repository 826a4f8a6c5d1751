/** Runs `feedkey serve`: a small web server for an archive, meant for this machine or a local network. */
import { resolve } from "node:path";
import { FeedkeyError } from "../../error.ts";
import { escapeText } from "../../escape.ts";
import { serveArchive } from "../../keeper/serve-archive.ts";
import type { Context } from "../context.ts";
import type { Outcome } from "../run.ts";
import { accessLog } from "./access-log.ts";

interface ServeOptions {
  readonly host: string;
  readonly port: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** The folder in which the key server stores keys; true for a key server that keeps its keys in memory. */
  readonly keyserver?: true | string;
  readonly accessLog?: string;
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw new FeedkeyError("usage", `"${text}" is not a port`, {
    hint: "give a number from 0 to 65535; with 0, the system chooses a free port",
  });
}

function tlsOf({ tlsCert: cert, tlsKey: key }: ServeOptions) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert !== undefined && key !== undefined) return { cert, key };
  throw new FeedkeyError("usage", "--tls-cert and --tls-key must be given together", {
    hint: "give both options, or neither for plain HTTP",
  });
}

function keyserverOf({ keyserver }: ServeOptions): "memory" | { folder: string } | undefined {
  if (keyserver === undefined) return undefined;
  if (keyserver === true) return "memory";
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(keyserver)) return { folder: keyserver };
  throw new FeedkeyError(
    "usage",
    `--keyserver names a folder in which the server keeps keys, but ${keyserver} is an address`,
    {
      hint: "give --keyserver DIR, or --keyserver alone to keep the keys in memory",
    },
  );
}

/** Serves the archive until SIGINT or SIGTERM. @throws FeedkeyError `usage`, and as `serveArchive` */
export async function serve(context: Context, root: string, options: ServeOptions): Promise<Outcome> {
  const keyserver = keyserverOf(options);
  const log = options.accessLog === undefined ? undefined : accessLog(options.accessLog, context.reporter);
  const terms = {
    onRequest: log?.write,
    root,
    host: options.host,
    port: portOf(options.port),
    tls: tlsOf(options),
    keyserver,
  };
  const server = await serveArchive(terms);
  if (keyserver === "memory")
    context.reporter.warn(
      "the key server keeps its keys in memory, so they are lost when it stops; give --keyserver DIR to store them",
    );
  context.reporter.line("note", `serving ${escapeText(resolve(root))} at ${server.url}; stop with Ctrl-C`);
  await new Promise<void>((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, done);
  });
  await server.close();
  await log?.end();
  return { text: "", json: { url: server.url } };
}
