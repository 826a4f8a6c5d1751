/** Makes errors about configuration files, each with the file and the line. */
import { FeedkeyError } from "../error.ts";

/** Makes an error about a line, counted from 1, in the file that is being read. */
export type ErrorAt = (line: number, problem: string, hint?: string) => FeedkeyError;

/** Returns a function that makes errors about one file. @param file the file's path, for the messages */
export function errorsOf(code: "bad_profile" | "bad_config", file: string): ErrorAt {
  return (line, problem, hint) =>
    new FeedkeyError(code, `${file}:${line}: ${problem}`, { details: { file, line }, hint });
}
