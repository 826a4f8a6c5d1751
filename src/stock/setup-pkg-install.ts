/** NetBSD's pkg_install: a keyring, and two variables in pkg_install.conf. */
import { divide, makeBlock } from "./setup-block.ts";
import { type Configured, contradiction, inTarget, type Terms } from "./setup-item.ts";

const conf = "etc/pkg_install.conf";

/** The values of a variable. pkg_install makes one of several lines for a variable, so a second one spoils the first. */
function valuesOf(name: string, text: string): string[] {
  const lines = text.split("\n").filter((line) => line.startsWith(`${name}=`));
  return lines.map((line) => line.slice(name.length + 1));
}

/** @throws FeedkeyError `bad_config`: the administrator's lines say otherwise, or our marks are broken */
export async function configurePkgInstall({ profile, root }: Terms): Promise<Configured> {
  const keyring = `etc/feedkey/keyrings/${profile.name}.gpg`;
  const divided = divide((await root.text(conf)) ?? "");
  if (divided === undefined) {
    throw contradiction(
      conf,
      "has feedkey's marks, but not as a pair",
      "remove what is left of them, and the lines between",
    );
  }
  const wanted = { VERIFIED_INSTALLATION: "always", GPG_KEYRING_VERIFY: inTarget(keyring) };
  const lines: string[] = [];
  for (const [name, value] of Object.entries(wanted)) {
    const said = valuesOf(name, divided.rest);
    const other = said.find((one) => one !== value) ?? (said.length > 1 ? said[1] : undefined);
    if (other !== undefined) {
      const problem = `says ${name}=${other}, and a second value would spoil both`;
      throw contradiction(conf, problem, `remove that line: it is to be ${name}=${value}`);
    }
    if (said.length === 0) lines.push(`${name}=${value}`);
  }
  const note = `written by setup pkg_install --profile ${profile.name}; --remove takes it away`;
  return {
    keyring,
    items: [
      { kind: "export", path: keyring },
      ...(lines.length === 0 ? [] : [{ kind: "block", path: conf, text: makeBlock(note, lines) } as const]),
    ],
    warnings: [],
    byHand: [],
  };
}
