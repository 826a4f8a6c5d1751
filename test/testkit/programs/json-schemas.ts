/** The JSON Schemas of docs/json/, and whether what a command printed is as they say. */
import { readdirSync, readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

const folder = new URL("../../../../docs/json/", import.meta.url);

/** Names of the schemas: those of the commands, without `document`, which all of them share. */
export const schemaNames: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json") && name !== "document.json")
  .map((name) => name.slice(0, -".json".length));

const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, strictTypes: false });

function load(name: string): string {
  const file = `${name}.json`;
  // Compiled when the first document of the kind comes: a file of tests meets few of them.
  if (ajv.getSchema(file) === undefined) ajv.addSchema(JSON.parse(readFileSync(new URL(file, folder), "utf8")));
  return file;
}

/**
 * What of a document is not as its schema says: empty if all is well.
 * @param document with `schema` naming the command
 */
export function schemaProblems(document: { readonly schema?: unknown }): string[] {
  const name = /^feedkey\.([a-z-]+)\/1$/.exec(String(document.schema))?.[1] ?? "";
  if (!schemaNames.includes(name)) return [`docs/json/ has no schema for "${String(document.schema)}"`];
  load("document");
  const validate = ajv.getSchema(load(name));
  if (validate?.(document) === true) return [];
  return (validate?.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath || "/"} ${message} ${JSON.stringify(params)}`;
  });
}

/**
 * Checks what a command line printed, if it was told to print JSON and did.
 * @throws Error naming each difference from docs/json/
 */
export function checkJson(args: readonly string[], stdout: string): void {
  if (!args.includes("--json") || !stdout.startsWith("{")) return;
  let document: { readonly schema?: unknown };
  try {
    document = JSON.parse(stdout);
  } catch {
    // Cut off by a test that ends the program: no document.
    return;
  }
  const problems = schemaProblems(document);
  if (problems.length > 0) {
    throw new Error(`not as docs/json/ says:\n${problems.join("\n")}\nfound: ${stdout.slice(0, 4000)}`);
  }
}
