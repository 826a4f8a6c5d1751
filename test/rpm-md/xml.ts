/** The two documents of an rpm-md repository, as createrepo_c writes them, from what a test varies. */
import { createHash } from "node:crypto";

export const hash = (data: string | Uint8Array, algorithm = "sha256") =>
  createHash(algorithm).update(data).digest("hex");

/** What the package of a name holds: nothing here opens it. */
export const rpmOf = (name: string) => `package ${name}`;

export interface PackageOptions {
  readonly version?: string;
  readonly arch?: string;
  /** The elements of another text, by name, in the place of its own. Empty: none. */
  readonly parts?: Readonly<Record<string, string>>;
}

/** One package of primary. */
export function packageXml(name: string, options: PackageOptions = {}): string {
  const { version = 'epoch="0" ver="1.0" rel="1"', arch = "noarch", parts = {} } = options;
  const rpm = rpmOf(name);
  const elements = {
    name: `<name>${name}</name>`,
    arch: `<arch>${arch}</arch>`,
    version: `<version ${version}/>`,
    checksum: `<checksum type="sha256" pkgid="YES">${hash(rpm)}</checksum>`,
    summary: "<summary>A greeting &amp; &lt;more&gt;</summary>",
    size: `<size package="${rpm.length}" installed="0" archive="124"/>`,
    location: `<location href="${name}-1.0-1.${arch}.rpm"/>`,
    format: "<format><rpm:license>MIT</rpm:license><file>/etc/x</file></format>",
    ...parts,
  };
  return `<package type="rpm">\n  ${Object.values(elements).join("\n  ")}\n</package>\n`;
}

/** Primary. */
export function primaryXml(...packages: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="${packages.length}">
${packages.join("")}</metadata>
`;
}

/** The elements of one list of repomd.xml. @param parts in the place of its own, as of a package */
export function dataXml(
  file: { readonly data: Uint8Array; readonly text: string; readonly name: string },
  parts: Readonly<Record<string, string>> = {},
  type = "primary",
): string {
  const elements = {
    checksum: `<checksum type="sha256">${hash(file.data)}</checksum>`,
    "open-checksum": `<open-checksum type="sha256">${hash(file.text)}</open-checksum>`,
    location: `<location href="repodata/${file.name}"/>`,
    timestamp: "",
    size: `<size>${file.data.length}</size>`,
    "open-size": `<open-size>${Buffer.byteLength(file.text)}</open-size>`,
    ...parts,
  };
  return `  <data type="${type}">\n    ${Object.values(elements).join("\n    ")}\n  </data>\n`;
}

export function repomdXml(...parts: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
${parts.join("")}</repomd>
`;
}
