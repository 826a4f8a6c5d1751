/** The part of the library that is used here; it brings no types of its own. */
declare module "seek-bzip" {
  class Stream {
    /** The next byte. */
    readByte(): number;
    writeByte(byte: number): void;
  }
  const Bunzip: {
    readonly Stream: typeof Stream;
    /** Decodes one stream and verifies its checksums, byte by byte. */
    decode(input: Stream, output: Stream): void;
  };
  export default Bunzip;
}
