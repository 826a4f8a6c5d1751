/**
 * gzip in members (RFC 1952 section 2.2) of about 64 KB of text each; any reader joins them. They are compressed on all cores,
 * and unchanged ones are taken from the earlier file. The borders depend only on the text, so that the same text gives the same
 * bytes.
 */
import { promisify } from "node:util";
import { constants, crc32, deflateRaw, inflateRawSync } from "node:zlib";

const deflate = promisify(deflateRaw);

/** The least and the most bytes of text in a member; its last line may go beyond. */
const least = 32 * 1024;
const most = 256 * 1024;

// Magic, deflate, one extra field, no time, slowest compression, unknown system; then 6 bytes of extra field: a
// subfield of this project's own, "FK", with the length of the whole member.
const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 2, 255, 8, 0, 0x46, 0x4b, 4, 0]);
const headLength = head.length + 4;
const tailLength = 8;

/**
 * Cuts a text at empty lines. A hash of the 32 bytes before it makes an empty line a border: so a change of the text moves
 * only the borders near it.
 */
export function cutText(text: Buffer): Buffer[] {
  const pieces: Buffer[] = [];
  let start = 0;
  let from = least;
  while (text.length - start > least) {
    const end = text.indexOf("\n\n", from);
    if (end === -1) break;
    from = end + 2;
    const isBorder = crc32(text.subarray(Math.max(start, end - 32), end)) % 32 === 0;
    if (!isBorder && from - start < most) continue;
    pieces.push(text.subarray(start, from));
    start = from;
    from = start + least;
  }
  if (start < text.length || text.length === 0) pieces.push(text.subarray(start));
  return pieces;
}

/** A member, unpacked. */
interface Known {
  readonly text: Buffer;
  readonly member: Buffer;
}

/** A hint for finding a text; it proves nothing. */
const keyOf = (sum: number, length: number) => sum * 2 ** 20 + length;

/**
 * The members of a file that was written here; those of another form are skipped.
 * @param wanted only members that claim to be one of these texts are unpacked: a few MB may unpack to terabytes
 */
function membersOf(file: Buffer, wanted: ReadonlySet<number>): Map<number, Known> {
  const found = new Map<number, Known>();
  let at = 0;
  while (at + headLength + tailLength <= file.length && file.subarray(at, at + head.length).equals(head)) {
    const end = at + file.readUInt32LE(at + head.length);
    if (end < at + headLength + tailLength || end > file.length) return found;
    const member = file.subarray(at, end);
    at = end;
    const key = keyOf(member.readUInt32LE(member.length - tailLength), member.readUInt32LE(member.length - 4));
    const text = wanted.has(key) ? inflated(member) : undefined;
    if (text !== undefined) found.set(key, { text, member });
  }
  return found;
}

/** The text of a member, if it is exactly one member: no reader may see another text, even if someone else wrote the file. */
function inflated(member: Buffer): Buffer | undefined {
  const end = member.length - tailLength;
  try {
    const done = inflateRawSync(member.subarray(headLength, end), {
      maxOutputLength: 2 * most,
      // A little more than the claimed size, so that the result comes in one piece without copying.
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

async function makeMember(text: Buffer, sum: number): Promise<Buffer> {
  const data = await deflate(text, { level: constants.Z_BEST_COMPRESSION });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(headLength + data.length + tailLength);
  const tail = Buffer.alloc(tailLength);
  tail.writeUInt32LE(sum);
  tail.writeUInt32LE(text.length, 4);
  return Buffer.concat([head, length, data, tail]);
}

/**
 * Compresses a text.
 * @param before an earlier file, from which members are reused; the result does not depend on it
 */
export async function gzipMembers(text: Buffer, before?: Buffer): Promise<Buffer> {
  const pieces = cutText(text).map((piece) => {
    const sum = crc32(piece);
    return { piece, sum, key: keyOf(sum, piece.length) };
  });
  const wanted = new Set(pieces.map(({ key }) => key));
  const known = before === undefined ? new Map<number, Known>() : membersOf(before, wanted);
  const members = pieces.map(({ piece, sum, key }) => {
    const found = known.get(key);
    return found?.text.equals(piece) === true ? found.member : makeMember(piece, sum);
  });
  return Buffer.concat(await Promise.all(members));
}
