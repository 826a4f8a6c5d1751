/** Asks the person at the terminal. The questions go to standard error, because standard output is for results. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { FeedkeyError } from "../../error.ts";

/** A person who answers questions; tests replace this person. */
export interface Person {
  /** Asks for a line. @throws FeedkeyError `usage` if the input has ended */
  ask(question: string): Promise<string>;
  /** Asks for a line, and does not show what the person types. @throws FeedkeyError `usage` if the input has ended */
  askHidden(question: string): Promise<string>;
}

async function answer(question: string, output: NodeJS.WritableStream): Promise<string> {
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await new Promise((resolve, reject) => {
      // After the end of the input, or Ctrl-C, no answer will come.
      terminal.once("close", () => reject(new FeedkeyError("usage", "the question was not answered")));
      terminal.question(question).then(resolve, reject);
    });
  } finally {
    terminal.close();
  }
}

async function hiddenAnswer(question: string): Promise<string> {
  process.stderr.write(question);
  try {
    return await answer("", new Writable({ write: (_chunk, _encoding, done) => done() }));
  } finally {
    process.stderr.write("\n");
  }
}

/** Returns the person at the terminal; undefined if standard input is not a terminal. */
export function personHere(): Person | undefined {
  if (!process.stdin.isTTY) return undefined;
  return { ask: (question) => answer(question, process.stderr), askHidden: hiddenAnswer };
}
