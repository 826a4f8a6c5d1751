/** The access log of `feedkey serve`. It has the combined log format, which log analysers can read. */
import { createWriteStream } from "node:fs";
import { escapeText } from "../../escape.ts";
import { causeInWords } from "../../files/system-error.ts";
import type { ServedRequest } from "../../keeper/serve-archive.ts";
import { type Instant, iso } from "../../time.ts";
import type { CliReporter } from "../reporter.ts";

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** Escapes text from a client as nginx does, so that the text can't end the quotes or the line. */
function quoted(text: string): string {
  const safe = Buffer.from(text, "utf8").toString("latin1");
  return safe.replace(
    /[^ !#-[\]-~]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}

/** Returns one line of the log, without the line feed. */
export function accessLine(request: ServedRequest, at: Instant): string {
  const { address, method, url, httpVersion, status, bytes, userAgent } = request;
  const [, year, month, day, clock] = /^(\d+)-(\d+)-(\d+)T([\d:]+)/.exec(iso(at)) ?? [];
  const time = `${day}/${months[Number(month) - 1]}/${year}:${clock} +0000`;
  return `${address} - - [${time}] "${quoted(`${method} ${url} HTTP/${httpVersion}`)}" ${status} ${bytes} "-" "${quoted(userAgent)}"`;
}

/** Returns a log that appends requests to a file. Warns once if feedkey can't write the file. */
export function accessLog(path: string, reporter: Pick<CliReporter, "warn">) {
  const file = createWriteStream(path, { flags: "a", mode: 0o640 });
  file.once("error", (error) => {
    reporter.warn(`requests are not logged: ${escapeText(path)} can't be written: ${causeInWords(error)}`);
  });
  return {
    write: (request: ServedRequest) => void file.write(`${accessLine(request, Date.now())}\n`),
    end: () => new Promise<void>((done) => (file.writable ? file.end(done) : done())),
  };
}
