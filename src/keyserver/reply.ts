/** Sends short answers in plain text: never a stack trace, never HTML with text from outside. */
import type { ServerResponse } from "node:http";

/** Ends a response with a status and a text, or closes the connection if a body is already being sent. */
export function reply(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  for (const name of response.getHeaderNames()) response.removeHeader(name);
  const body = text.endsWith("\n") ? text : `${text}\n`;
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
    ...headers,
  });
  response.end(response.req.method === "HEAD" ? undefined : body);
}
