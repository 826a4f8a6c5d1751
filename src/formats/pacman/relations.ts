/** Reads the dependencies and capabilities of pacman packages: %DEPENDS% and %PROVIDES%. Matches them like libalpm (lib/libalpm/deps.c). */
import { type Capability, isOperatorMet, type Related, type Relations, type Requirement } from "../relations.ts";
import { readRelated } from "./database.ts";
import { compareVersions } from "./version.ts";

const relation = /^([^<>=]+?)(?:(<=|>=|<|>|=)(.*))?$/s;

function requirement(text: string): Requirement {
  const [, name = text, operator = "", wanted = ""] = relation.exec(text) ?? [];
  const isMetBy = ({ version }: Capability) => {
    return operator === "" || (version !== undefined && isOperatorMet(operator, compareVersions(version, wanted)));
  };
  return { text, names: [name], isMetBy };
}

function offerOf(text: string): Capability {
  const [, name = text, operator, version] = relation.exec(text) ?? [];
  return { name, version: operator === "=" ? version : undefined };
}

function* readRelations(text: Uint8Array): Generator<Related, void> {
  for (const { name, version, architecture, depends, provides } of readRelated(text)) {
    const offers = [{ name, version }, ...provides.map(offerOf)];
    yield { name, version, architecture, offers, needs: () => depends.map((need) => [requirement(need)]) };
  }
}

export const relations: Relations = { anyMachine: "any", read: readRelations };
