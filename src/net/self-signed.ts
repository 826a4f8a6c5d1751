/** Makes a self-signed TLS certificate that is valid only for this machine, for the demo and for tests of a configuration. */
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from "node:crypto";

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...parts: Uint8Array[]) => der(0x30, Buffer.concat(parts));
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const boolean = der(0x01, Buffer.from([0xff]));

/** Encodes a UTCTime: X.509 requires this form for dates before 2050 (RFC 5280 section 4.1.2.5). */
function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${text}Z`));
}

function extension(id: string, critical: boolean, value: Uint8Array): Buffer {
  return sequence(oid(id), critical ? boolean : Buffer.alloc(0), der(0x04, value));
}

/**
 * Makes a certificate for `localhost` and 127.0.0.1 with a new P-256 key (RFC 5280).
 * @param at the start of the certificate's validity period, which is one day, in milliseconds
 * @returns the certificate and its key as PEM texts; the certificate is its own certificate authority
 */
export function selfSigned(at: number): { readonly cert: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ecdsaWithSha256 = sequence(oid("2a8648ce3d040302"));
  const name = sequence(der(0x31, sequence(oid("550403"), der(0x0c, Buffer.from("localhost")))));
  const names = sequence(der(0x82, Buffer.from("localhost")), der(0x87, Buffer.from([127, 0, 0, 1])));
  const extensions = sequence(
    extension("551d13", true, sequence(boolean)),
    extension("551d0f", true, der(0x03, Buffer.from([0x02, 0x84]))),
    extension("551d25", false, sequence(oid("2b06010505070301"))),
    extension("551d11", false, names),
  );
  const serial = randomBytes(8);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const content = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    name,
    sequence(time(at - 60_000), time(at + 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, extensions),
  );
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const signature = sign("sha256", content, createPrivateKey(key));
  const certificate = sequence(content, ecdsaWithSha256, der(0x03, Buffer.from([0]), signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return { cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`, key };
}
