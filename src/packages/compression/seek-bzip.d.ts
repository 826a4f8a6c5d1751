/** Declares the part of the library that feedkey uses, because the library includes no types. */
declare module "seek-bzip" {
  class Stream {
    /** Returns the next byte. */
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
