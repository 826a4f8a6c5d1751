/**
 * A small object store with Amazon's S3 interface, for faults: whoever asks without a signature gets objects, or 403 where there is
 * none, as from a bucket whose objects are public and whose list is not. What it answers was compared with OpenStack Swift 2.30.1
 * (Debian 12), the real one of object-store.test.ts: ETag is the MD5; a body that does not match `x-amz-content-sha256` is 400
 * BadDigest; a missing object 404 NoSuchKey; removing one that is missing 204; a condition on writing 501 NotImplemented. With
 * `conditions` it takes these as Amazon's documentation has it: 412 PreconditionFailed, 404 for `If-Match` without an object.
 */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface TestObject {
  readonly bytes: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** `cut` closes the connection before, `lost` after the work is done. */
export type Fault = number | "cut" | "lost" | undefined;

export class ObjectStore {
  readonly objects = new Map<string, TestObject>();
  /** Signed requests other than GET, as `PUT key`, in their order. */
  readonly log: string[] = [];
  conditions = true;
  /** How many objects a page of a listing has. */
  page = 1000;
  fault: (method: string, key: string) => Fault = () => undefined;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<ObjectStore> {
    const store = new ObjectStore();
    store.#server.listen(0, "127.0.0.1");
    await once(store.#server, "listening");
    return store;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  text(key: string): string | undefined {
    return this.objects.get(key)?.bytes.toString("latin1");
  }

  put(key: string, bytes: Uint8Array): void {
    this.objects.set(key, { bytes: Buffer.from(bytes), headers: {} });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", headers } = request;
    const url = new URL(request.url ?? "", this.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    const isSigned = headers.authorization?.startsWith("AWS4-HMAC-SHA256 Credential=") === true;
    const fault = isSigned ? this.fault(method, key) : undefined;
    if (fault === "cut") {
      request.socket.destroy();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    if (typeof fault === "number") {
      fail(response, fault, "SlowDown");
      return;
    }
    const body = Buffer.concat(chunks);
    if (isSigned && method !== "GET") this.log.push(`${method} ${key}`);
    const isLost = fault === "lost";
    if (!isSigned) {
      this.#give(response, key, 403);
      return;
    }
    if (url.searchParams.has("list-type")) {
      this.#list(response, key, url.searchParams);
      return;
    }
    if (method === "GET") {
      this.#give(response, key, 404);
      return;
    }
    if (method === "DELETE") {
      this.objects.delete(key);
      if (isLost) request.socket.destroy();
      else response.writeHead(204).end();
      return;
    }
    const there = this.objects.get(key);
    const [match, none] = [headers["if-match"], headers["if-none-match"]];
    if ((match ?? none) !== undefined) {
      if (!this.conditions) {
        fail(response, 501, "NotImplemented");
        return;
      }
      if (match !== undefined && there === undefined) {
        fail(response, 404, "NoSuchKey");
        return;
      }
      const isMet = match === undefined ? there === undefined : there !== undefined && match === etagOf(there.bytes);
      if (!isMet) {
        fail(response, 412, "PreconditionFailed");
        return;
      }
    }
    if (createHash("sha256").update(body).digest("hex") !== headers["x-amz-content-sha256"]) {
      fail(response, 400, "BadDigest");
      return;
    }
    const kept = ["content-type", "cache-control"].flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, value] as const] : [];
    });
    this.objects.set(key, { bytes: body, headers: Object.fromEntries(kept) });
    if (isLost) request.socket.destroy();
    else response.writeHead(200, { etag: etagOf(body) }).end();
  }

  #give(response: ServerResponse, key: string, absent: number): void {
    const found = key.endsWith(".feedkey-lock") && absent === 403 ? undefined : this.objects.get(key);
    if (found === undefined) {
      fail(response, absent, absent === 403 ? "AccessDenied" : "NoSuchKey");
      return;
    }
    response.writeHead(200, { ...found.headers, etag: etagOf(found.bytes) }).end(found.bytes);
  }

  #list(response: ServerResponse, path: string, query: URLSearchParams): void {
    const bucket = path.replace(/\/*$/, "/");
    const after = query.get("continuation-token") ?? "";
    const keys = [...this.objects.keys()].map((key) => key.slice(bucket.length)).sort();
    const due = keys.filter((key) => key.startsWith(query.get("prefix") ?? "") && key > after);
    const shown = due.slice(0, this.page);
    const entries = shown.map((key) => {
      const { bytes } = this.objects.get(bucket + key) as TestObject;
      const etag = etagOf(bytes).replaceAll('"', "&quot;");
      return `<Contents><Key>${encodeURIComponent(key)}</Key><ETag>${etag}</ETag><Size>${bytes.length}</Size></Contents>`;
    });
    const next = due.length > shown.length ? `<NextContinuationToken>${shown.at(-1)}</NextContinuationToken>` : "";
    const head = `<EncodingType>url</EncodingType><IsTruncated>${next !== ""}</IsTruncated>${next}`;
    response.writeHead(200).end(`<ListBucketResult>${head}${entries.join("")}</ListBucketResult>`);
  }
}

function etagOf(bytes: Uint8Array): string {
  return `"${createHash("md5").update(bytes).digest("hex")}"`;
}

/** With the words that real ones add, which must not be shown. */
function fail(response: ServerResponse, status: number, code: string): void {
  const said = "<AWSAccessKeyId>TESTKEYID</AWSAccessKeyId><StringToSign>AWS4</StringToSign>";
  response.writeHead(status).end(`<Error><Code>${code}</Code><Message>no</Message>${said}</Error>`);
}
