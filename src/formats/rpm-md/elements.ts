/**
 * The elements in rpm-md's XML. The reader is strict (T13): no document type, no entities except XML's own, no processing
 * instructions, no CDATA, one namespace for each prefix, and limits for depth and length.
 */
import { SaxesParser } from "saxes";
import { asBuffer, badText, type TextKind } from "../line-cursor.ts";

export interface Element {
  readonly attributes: Readonly<Record<string, string>>;
  /** The element's text with its blanks, because another reader may keep blanks. Empty if the element contains elements. */
  readonly text: string;
  /** The line in which the element starts. */
  readonly line: number;
  /** Makes the error for a problem with the element. */
  error(problem: string): Error;
}

/** Collects the values of elements that may each appear once. @param where says in what a second one would be */
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
    /** Returns the values since the last call. */
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
/** The size limit, in bytes, for a start tag, a text or a comment. Distributions' longest descriptions have some 10,000 bytes. */
const maxRun = 1 << 20;
const chunk = 1 << 16;

interface Open {
  /** The path from the root, such as `metadata/package`; undefined if nobody asked for an element below this path. */
  readonly path: string | undefined;
  readonly attributes: Readonly<Record<string, string>>;
  readonly line: number;
  text: string;
}

/**
 * Walks through a document.
 * @param wanted the action at the end of each element, by the element's path; an element without wanted elements below it must not
 * contain any element
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
      throw error(`has an element "${name}" inside of a value`);
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

/** Returns the paths of the elements that contain an element. */
function foldersOf(path: string): string[] {
  const names = path.split("/");
  return names.slice(1).map((_, place) => names.slice(0, place + 1).join("/"));
}

/** Throws if a prefix changes its meaning inside the document: two readers could then see different elements. */
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
  if (again !== undefined) throw error(`gives the namespace "${again}" inside of the document`);
}
