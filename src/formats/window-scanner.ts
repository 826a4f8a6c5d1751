/** Scans a text in stanzas that is not in memory. Reads one window of the text after another. */
import type { Content } from "../content.ts";
import type { DigestedEntry, EntrySource } from "./entry-source.ts";
import { maxStanzaLength } from "./line-cursor.ts";

/** A scanner over a window. */
interface TextScanner extends EntrySource {
  /** The number of the line after the last line that was read. */
  readonly nextLine: number;
}

/** A section of the text that consists of whole stanzas. */
interface Window {
  /** Offset of the window's first byte in the text. */
  readonly start: number;
  /** Offset of the first byte after the window. */
  readonly end: number;
  readonly scanner: TextScanner;
  /** The memory that the scanner reads. A later window reuses this memory. */
  readonly memory: Buffer;
}

/** Number of windows in memory. Look-ups often alternate between two places, such as an entry and its repetition. */
const windowsInMemory = 4;

/** Initial size of a window's memory in bytes. One piece of a file and the rest of a stanza fit into this memory. */
const usualWindow = 192 * 1024;

/** An empty line separates two stanzas. */
const stanzaEnd = "\n\n";

/** How a format scans the bytes of a window. */
export interface WindowReading {
  /** @param firstLine number of the window's first line in the text */
  scannerOf(bytes: Uint8Array, firstLine: number): TextScanner;
  /** The window scanner calls this function before it uses another window's scanner. */
  onSwitch(): void;
}

/** Visits each stanza, like a format's own scanner for a text in memory. */
export class WindowScanner implements EntrySource {
  readonly length: number;
  offset = 0;
  line = 0;
  nameHash = 0;
  keyHash = 0;
  fileHash = 0;
  readonly #text: Content;
  readonly #reading: WindowReading;
  /** The windows in memory, the most recently used window last. */
  #windows: readonly Window[] = [];

  constructor(text: Content, reading: WindowReading) {
    this.#text = text;
    this.#reading = reading;
    this.length = text.length;
  }

  seek(offset: number, line: number): void {
    const found = this.#windows.find(({ start, end }) => start <= offset && offset < end);
    const window = found ?? this.#load(offset, line);
    this.#use(window);
    window.scanner.seek(offset - window.start, line);
  }

  /** @throws FeedkeyError `bad_index` if the stanza is malformed; `locked` if the text has changed since feedkey hashed it */
  next(): boolean {
    let window = this.#windows.at(-1);
    while (window === undefined || !window.scanner.next()) {
      const start = window?.end ?? 0;
      if (start === this.length) return false;
      window = this.#load(start, window?.scanner.nextLine ?? 1);
      this.#use(window);
    }
    const { start, scanner } = window;
    this.offset = start + scanner.offset;
    this.line = scanner.line;
    this.nameHash = scanner.nameHash;
    this.keyHash = scanner.keyHash;
    this.fileHash = scanner.fileHash;
    return true;
  }

  entry(): DigestedEntry {
    const window = this.#windows.at(-1);
    if (window === undefined) throw new Error("no stanza has been read yet");
    return window.scanner.entry();
  }

  #use(window: Window): void {
    if (window === this.#windows.at(-1)) return;
    this.#reading.onSwitch();
    this.#windows = [...this.#windows.filter((other) => other !== window), window];
  }

  /** Reads a window that begins with a stanza. @param line line number of the window's first line */
  #load(start: number, line: number): Window {
    const isFull = this.#windows.length === windowsInMemory;
    const [oldest] = this.#windows;
    if (isFull) this.#windows = this.#windows.slice(1);
    let memory = isFull && oldest !== undefined ? oldest.memory : Buffer.allocUnsafeSlow(usualWindow);
    let [filled, end] = [0, 0];
    for (const piece of this.#text.pieces(start)) {
      if (filled + piece.length > memory.length) memory = widened(memory.subarray(0, filled), piece.length);
      memory.set(piece, filled);
      // The separator may begin with the last byte before this piece.
      const from = Math.max(0, filled - 1);
      filled += piece.length;
      const at = memory.subarray(from, filled).lastIndexOf(stanzaEnd);
      if (at !== -1) end = from + at + stanzaEnd.length;
      if (end > 0) break;
      // The scanner refuses a stanza of this length.
      if (filled > 2 * maxStanzaLength) break;
    }
    // The last stanza need not end with an empty line.
    if (end === 0 || start + filled === this.length) end = filled;
    const scanner = this.#reading.scannerOf(memory.subarray(0, end), line);
    return { start, end: start + end, scanner, memory };
  }
}

function widened(bytes: Buffer, more: number): Buffer {
  const wider = Buffer.allocUnsafeSlow(2 * (bytes.length + more));
  wider.set(bytes);
  return wider;
}
