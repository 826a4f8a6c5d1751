/** The part of the library that is used here; it brings no types of its own. */
declare module "seek-bzip" {
  class Stream {
    /** The next byte. */
    readByte(): number;
    writeByte(byte: number): void;
  }
  const Bunzip: {
    readonly Stream: typeof Stream;
    /** Decodes one stream and verifies its checksums; one byte is asked for, or given, after the other. */
    decode(input: Stream, output: Stream): void;
  };
  export default Bunzip;
}
