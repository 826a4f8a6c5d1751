/**
 * Writes gzip files that consist of several members (RFC 1952 section 2.2), each with about 64 KB of text. Every gzip reader joins the
 * members. So several cores can compress one file, and feedkey can copy members with unchanged text from the earlier file. The
 * boundaries depend only on the text, so the same text always gives the same bytes.
 */
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, inflateRawSync } from "node:zlib";
import { inOrder } from "../../packages/compression/in-order.ts";
import { stanzaRuns } from "./stanza-runs.ts";

const deflate = promisify(deflateRaw);

/** The minimum (`least`) and maximum (`most`) size of a member's text, in bytes. The last stanza may exceed the maximum. */
const least = 32 * 1024;
const most = 256 * 1024;
/** A buffer size larger than most compressed members. With this size, zlib returns the data in one piece, without a copy. */
const usual = 32 * 1024;

// The header of a member: magic, deflate, extra field, no time, slowest compression, unknown system, 8 bytes of extra field. The extra
// field contains feedkey's subfield "FK" with 4 bytes of data: the length of the whole member.
const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 255, 8, 0, 0x46, 0x4b, 4, 0]);
const headLength = head.length + 4;
const tailLength = 8;

/**
 * Cuts a text into parts at empty lines. The sizes of the given pieces do not matter. A hash of the 32 bytes before an empty line decides
 * whether to cut there. So a change in the text moves only the boundaries near the change. A part is valid only until the caller
 * requests the next part.
 */
export function* cutText(pieces: Iterable<Uint8Array>): Generator<Buffer, void> {
  let part = Buffer.allocUnsafeSlow(most);
  let length = 0;
  let isCut = false;
  for (const stanza of stanzaRuns(pieces, 1)) {
    const end = length + stanza.length - 2;
    if (part.length < end + 2) part = Buffer.concat([part.subarray(0, length)], 2 * (end + 2));
    part.set(stanza, length);
    length = end + 2;
    if (end < least || (length < most && crc32(part.subarray(end - 32, end)) % 32 !== 0)) continue;
    yield part.subarray(0, length);
    length = 0;
    isCut = true;
  }
  if (length > 0 || !isCut) yield part.subarray(0, length);
}

/** Returns a map key for a text, from its checksum and length. Different texts may have the same map key. */
const keyOf = (sum: number, length: number) => sum * 2 ** 20 + length;

/**
 * Returns the members that feedkey wrote in a file, by the claimed checksum and length of each member's text. Skips members that feedkey
 * did not write.
 */
function membersOf(file: Buffer): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  let at = 0;
  while (at + headLength + tailLength <= file.length && file.subarray(at, at + head.length).equals(head)) {
    const end = at + file.readUInt32LE(at + head.length);
    if (end < at + headLength + tailLength || end > file.length) return found;
    const member = file.subarray(at, end);
    at = end;
    found.set(keyOf(member.readUInt32LE(member.length - tailLength), member.readUInt32LE(member.length - 4)), member);
  }
  return found;
}

/**
 * Returns the text if the bytes are exactly one member, else undefined. Somebody else may have written the file, and other readers must
 * not see a different text in it.
 */
function inflated(member: Buffer): Buffer | undefined {
  const end = member.length - tailLength;
  try {
    const done = inflateRawSync(member.subarray(headLength, end), {
      maxOutputLength: 2 * most,
      // The buffer is slightly larger than the claimed size, so that zlib returns the result in one piece, without a copy.
      chunkSize: Math.min(2 * most, member.readUInt32LE(end + 4)) + 64,
      info: true,
    }) as unknown as { buffer: Buffer; engine: { bytesWritten: number } };
    const { buffer: text, engine } = done;
    const isWhole = engine.bytesWritten === end - headLength;
    const isRight = crc32(text) === member.readUInt32LE(end) && text.length === member.readUInt32LE(end + 4);
    return isWhole && isRight ? text : undefined;
  } catch {
    return undefined;
  }
}

async function makeMember(text: Buffer, sum: number): Promise<Buffer[]> {
  const data = await deflate(text, { level: constants.Z_BEST_COMPRESSION, chunkSize: usual });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(headLength + data.length + tailLength);
  const tail = Buffer.alloc(tailLength);
  tail.writeUInt32LE(sum);
  tail.writeUInt32LE(text.length, 4);
  return [head, length, data, tail];
}

/**
 * Compresses a text that arrives in pieces, member by member.
 * @param before an earlier file with members to reuse; the result does not depend on this file
 */
export async function* gzipMembers(pieces: Iterable<Uint8Array>, before?: Buffer): AsyncGenerator<Buffer, void> {
  const known = before === undefined ? new Map<number, Buffer>() : membersOf(before);
  const spare: Buffer[] = [];
  const members = inOrder(cutText(pieces), 2 * availableParallelism(), async (text) => {
    const sum = crc32(text);
    const member = known.get(keyOf(sum, text.length));
    // feedkey decompresses only a member that claims to contain this text, because a few MB may decompress to terabytes.
    if (member !== undefined && inflated(member)?.equals(text) === true) return [member];
    // The code copies the text, because the next text will be in the same memory.
    const memory =
      (text.length > most ? undefined : spare.pop()) ?? Buffer.allocUnsafeSlow(Math.max(most, text.length));
    text.copy(memory);
    return await makeMember(memory.subarray(0, text.length), sum).finally(() => spare.push(memory));
  });
  for await (const parts of members) yield* parts;
}
