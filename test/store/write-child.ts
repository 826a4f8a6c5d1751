// Writes a file of so many bytes and prints what went wrong: node write-child.js PATH BYTES
import { FeedkeyError } from "../../src/error.ts";
import { writeFileAtomic } from "../../src/files/atomic.ts";

const [path = "", bytes = ""] = process.argv.slice(2);
try {
  await writeFileAtomic(path, Buffer.alloc(Number(bytes), "x"));
  process.stdout.write("written\n");
} catch (error) {
  if (!(error instanceof FeedkeyError)) throw error;
  process.stdout.write(`${error.code}: ${error.message}\n`);
}
