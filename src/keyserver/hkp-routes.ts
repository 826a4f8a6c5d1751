/** The HKP routes of the embedded server: `/pks/lookup` and `/pks/add` (draft-ietf-openpgp-hkp, version 1). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { FeedkeyError } from "../error.ts";
import { escapeText } from "../escape.ts";
import type { AddOutcome, KeyDatabase, KeyMerger, ParsedKey } from "./key-database.ts";
import { reply } from "./reply.ts";
import type { ServerLimits } from "./server-limits.ts";

interface HkpService {
  readonly database: KeyDatabase;
  readonly merger: KeyMerger;
  readonly limits: ServerLimits;
}

type Reply = readonly [status: number, text: string, headers?: Readonly<Record<string, string>>];

/** Answers a request whose path is below `/pks/`. */
export async function serveHkp(service: HkpService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [status, text, headers] = await answerTo(service, request);
  reply(response, status, text, headers);
}

async function answerTo(service: HkpService, request: IncomingMessage): Promise<Reply> {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/pks/lookup") {
    const reading = request.method === "GET" || request.method === "HEAD";
    return reading ? lookUp(service, url.searchParams) : [405, "only GET and HEAD", { allow: "GET, HEAD" }];
  }
  if (url.pathname === "/pks/add") {
    return request.method === "POST" ? add(service, request) : [405, "only POST", { allow: "POST" }];
  }
  return [404, "not found"];
}

function lookUp(service: HkpService, query: URLSearchParams): Reply {
  const operation = query.get("op") ?? "";
  if (operation !== "get" && operation !== "index") return [501, "only op=get and op=index"];
  const search = query.get("search") ?? "";
  if (search === "") return [400, "the search is missing"];
  if (/^0x[0-9a-f]{8}$/i.test(search)) return [400, "short key IDs can be forged: give a fingerprint"];
  const keys = within(service.database.find(search), service.limits);
  if (keys.length === 0) return [404, "not found"];
  if (operation === "index") return [200, listing(keys)];
  const armored = service.merger.armor(Buffer.concat(keys.map((key) => key.bytes)));
  return [200, armored, { "content-type": "application/pgp-keys" }];
}

/** Returns as many keys as fit into one answer. The oldest keys come first, so that later uploads do not displace the old keys. */
function within(found: readonly ParsedKey[], { keysPerAnswer, answer }: ServerLimits): ParsedKey[] {
  let bytes = 0;
  return found.slice(0, keysPerAnswer).filter((key, at) => {
    bytes += key.bytes.length;
    return at === 0 || bytes <= answer;
  });
}

/** Returns the machine-readable index of some keys. Clients must not trust flags and dates (T4), so the index has none. */
function listing(keys: readonly ParsedKey[]): string {
  const lines = keys.flatMap((key) => [
    `pub:${key.fingerprint}:::::`,
    ...(key.userIds ?? key.emails).map((text) => `uid:${encodeURIComponent(text)}:::`),
  ]);
  return [`info:1:${keys.length}`, ...lines, ""].join("\n");
}

async function add(service: HkpService, request: IncomingMessage): Promise<Reply> {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") {
    return [415, "expected application/x-www-form-urlencoded", { connection: "close" }];
  }
  const body = await readBody(request, service.limits.body);
  if (body === undefined) return [413, "too large", { connection: "close" }];
  const keytext = new URLSearchParams(body.toString("latin1")).get("keytext");
  if (keytext === null) return [400, "the keytext is missing"];
  try {
    return report(await service.database.add(Buffer.from(keytext)));
  } catch (error) {
    // The answer tells the client about errors in the upload, but not about errors in the server.
    if (!(error instanceof FeedkeyError) || !error.code.startsWith("bad_")) throw error;
    return [422, escapeText(error.message)];
  }
}

function report(outcomes: readonly AddOutcome[]): Reply {
  if (outcomes.length === 0) return [422, "the upload contains no key"];
  const lines = outcomes.map(({ fingerprint, refused }) =>
    escapeText(refused === undefined ? `${fingerprint} stored` : `${fingerprint} refused: ${refused}`),
  );
  return [outcomes.some((outcome) => outcome.refused === undefined) ? 200 : 422, lines.join("\n")];
}

/** Reads the body of a request. Returns undefined as soon as the body exceeds the size limit. */
async function readBody(request: IncomingMessage, most: number): Promise<Buffer | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > most) return undefined;
  const pieces: Buffer[] = [];
  let length = 0;
  // The stream stays open when this function returns, so that the server can still send its refusal.
  for await (const piece of request.iterator({ destroyOnReturn: false })) {
    length += piece.length;
    if (length > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
