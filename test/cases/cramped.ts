/** Running the program where files can't grow: a limit on their size stands for a disk that is full. */
import { type Ended, runProgram } from "../testkit/programs/command-line.ts";

/**
 * Runs `bin/feedkey.js` with a limit on the size of files it writes.
 * @param kilobytes largest file
 */
export function cramped(kilobytes: number, args: readonly string[]): Promise<Ended> {
  // The signal would end the program; ignored, the write fails as it does on a full disk. sh counts in 512 bytes.
  const script = `trap '' XFSZ; ulimit -f ${kilobytes * 2}; exec "$@"`;
  return runProgram("sh", ["-c", script, "sh", process.execPath, "bin/feedkey.js", ...args]);
}
