/**
 * Reads the elements in rpm-md's XML. The reader is strict (T13): it refuses document types, entities other than XML's own,
 * processing instructions, CDATA, and prefixes with several namespaces. It also limits depth and length.
 */
import { SaxesParser } from "saxes";
import { asBuffer, badText, type TextKind } from "../line-cursor.ts";

export interface Element {
  readonly attributes: Readonly<Record<string, string>>;
  /** The element's text with its blanks, because other readers may keep blanks. Empty if the element contains elements. */
  readonly text: string;
  /** The number of the line in which the element starts. */
  readonly line: number;
  /** Returns the error for a problem with the element. */
  error(problem: string): Error;
}

/** Collects the values of elements that may appear only once. @param where end of the message about a second element */
export function collectOnce<Values extends object>(where = "") {
  let values: Partial<Values> = {};
  return {
    /** Returns a function that reads an element's value. */
    once<Name extends keyof Values & string>(name: Name, read: (element: Element) => NonNullable<Values[Name]>) {
      return (element: Element) => {
        if (values[name] !== undefined) throw element.error(`gives a second "${name}"${where}`);
        values[name] = read(element);
      };
    },
    /** Returns the values that were collected since the last call. */
    take(): Partial<Values> {
      const taken = values;
      values = {};
      return taken;
    },
  };
}

/** The kind of a document. */
export interface DocumentKind {
  readonly text: TextKind;
  /** Name of the document's root element. */
  readonly root: string;
  readonly namespace: string;
}

const maxDepth = 32;
/** The size limit, in bytes, for a start tag, a text or a comment. The longest descriptions in distributions have about 10,000 bytes. */
const maxRun = 1 << 20;
const chunk = 1 << 16;

interface Open {
  /** The path from the root, such as `metadata/package`; undefined if the path leads to no wanted element. */
  readonly path: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly line: number;
  text: string;
}

/**
 * Reads a document.
 * @param wanted the action at the end of each element, by the element's path; a wanted element may contain elements only if some of
 *   these are wanted
 * @throws FeedkeyError with the code of the text's kind, and the line, if the document is malformed
 */
export function readElements(
  bytes: Uint8Array,
  kind: DocumentKind,
  wanted: Readonly<Record<string, (element: Element) => void>>,
): void {
  const actions = new Map(Object.entries(wanted));
  const inner = new Set([...actions.keys()].flatMap((path) => foldersOf(path)));
  const parser = new SaxesParser();
  const open: Open[] = [];
  let reached = 0;
  const error = (problem: string, line = parser.line) => badText(kind.text, line, problem);
  const refuse = (what: string) => () => {
    throw error(`has ${what}`);
  };

  parser.on("error", ({ message }) => {
    throw error(`is not well-formed XML: ${message.replace(/^\d+:\d+: /, "").replace(/\.$/, "")}`);
  });
  parser.on("xmldecl", ({ version, encoding = "UTF-8" }) => {
    if (version !== "1.0" || encoding.toUpperCase() !== "UTF-8") throw error("is not XML 1.0 in UTF-8");
  });
  parser.on("doctype", refuse("a document type"));
  parser.on("processinginstruction", refuse("a processing instruction"));
  parser.on("cdata", refuse("a CDATA section"));
  parser.on("opentag", ({ name, attributes }) => {
    reached = parser.position;
    const above = open.at(-1);
    if (open.length === maxDepth) throw error(`has elements more than ${maxDepth} deep`);
    if (above?.path !== undefined && !inner.has(above.path)) {
      throw error(`has an element "${name}" inside a value`);
    }
    refuseNamespaces(kind, above === undefined ? name : undefined, attributes, error);
    const path = above === undefined ? name : above.path && `${above.path}/${name}`;
    const isKnown = path !== undefined && (inner.has(path) || actions.has(path));
    open.push({ path: isKnown ? path : undefined, attributes, line: parser.line, text: "" });
  });
  parser.on("text", (text) => {
    reached = parser.position;
    const above = open.at(-1);
    if (above?.path !== undefined && !inner.has(above.path)) above.text += text;
  });
  parser.on("closetag", () => {
    reached = parser.position;
    const closed = open.pop();
    const action = closed?.path === undefined ? undefined : actions.get(closed.path);
    if (closed === undefined || action === undefined) return;
    const { attributes, line } = closed;
    action({ attributes, text: closed.text, line, error: (problem) => error(problem, line) });
  });

  const decoder = new TextDecoder("utf-8", { fatal: true });
  const decode = (piece?: Uint8Array) => {
    try {
      return decoder.decode(piece, { stream: piece !== undefined });
    } catch {
      throw error("or the one after it is not UTF-8");
    }
  };
  const buffer = asBuffer(bytes);
  for (let at = 0; at < buffer.length; at += chunk) {
    parser.write(decode(buffer.subarray(at, at + chunk)));
    if (parser.position - reached > maxRun) throw error(`follows ${maxRun} characters without an element`);
  }
  parser.write(decode()).close();
}

/** Returns the paths of all elements that contain the element with this path. */
function foldersOf(path: string): string[] {
  const names = path.split("/");
  return names.slice(1).map((_, place) => names.slice(0, place + 1).join("/"));
}

/** Throws if a prefix changes its namespace inside the document, because two readers could then see different elements. */
function refuseNamespaces(
  { root, namespace }: DocumentKind,
  first: string | undefined,
  attributes: Readonly<Record<string, string>>,
  error: (problem: string) => Error,
): void {
  if (first !== undefined && (first !== root || attributes.xmlns !== namespace)) {
    throw error(`does not begin the element "${root}" of the namespace ${namespace}`);
  }
  const again = Object.keys(attributes).find((name) => first === undefined && /^xmlns(:|$)/.test(name));
  if (again !== undefined) throw error(`gives the namespace "${again}" inside the document`);
}
