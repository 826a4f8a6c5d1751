/** Reads a package's dependencies and capabilities from `Packages`: Depends, Pre-Depends, Provides (deb-control(5)). */
import { LineCursor } from "../line-cursor.ts";
import { type Capability, isOperatorMet, type Related, type Relations, type Requirement } from "../relations.ts";
import { compareVersions } from "./version.ts";

const fields = new Set(["package", "version", "architecture", "depends", "pre-depends", "provides"]);

/** Matches `NAME`, `NAME:ARCHITECTURE` and `NAME (OPERATOR VERSION)`. */
const relation = /^([^\s:()[\]]+)(?::[^\s()]+)?(?:\s*\(\s*(<<|<=|=|>=|>>|<|>)\s*([^\s()]+)\s*\))?$/;

/** In old packages, `<` and `>` mean `<=` and `>=` (deb-control(5)). */
const operatorOf = (written: string) => (/^[<>]$/.test(written) ? `${written}=` : written);

function requirement(written: string): Requirement {
  const text = written.trim();
  const [, name = "", sign = "", wanted = ""] = relation.exec(text) ?? [];
  const operator = operatorOf(sign);
  const isMetBy = ({ version }: Capability) => {
    // A provided name without a version does not meet a versioned dependency.
    return operator === "" || (version !== undefined && isOperatorMet(operator, compareVersions(version, wanted)));
  };
  return { text, names: name === "" ? [] : [name], isMetBy };
}

function needsOf(...lists: readonly (string | undefined)[]): Requirement[][] {
  const needs = lists.flatMap((list) => (list ?? "").split(","));
  return needs.filter((need) => need.trim() !== "").map((need) => need.split("|").map(requirement));
}

function offersOf(list: string): Capability[] {
  return list.split(",").flatMap((offer) => {
    const [, name, operator, version] = relation.exec(offer.trim()) ?? [];
    return name === undefined ? [] : { name, version: operator === "=" ? version : undefined };
  });
}

function relatedOf(values: ReadonlyMap<string, string>): Related {
  const value = (name: string) => values.get(name)?.trim() ?? "";
  const [name, version] = [value("package"), value("version")];
  return {
    ...{ name, version, architecture: value("architecture") },
    offers: [{ name, version }, ...offersOf(value("provides"))],
    needs: () => needsOf(values.get("pre-depends"), values.get("depends")),
  };
}

function* readRelations(text: Uint8Array): Generator<Related, void> {
  const cursor = new LineCursor(text);
  let values = new Map<string, string>();
  let field = "";
  while (cursor.next()) {
    const { bytes, start, colon, end } = cursor;
    if (cursor.kind === "blank") {
      if (values.size > 0) yield relatedOf(values);
      values = new Map();
      continue;
    }
    const isField = cursor.kind === "field";
    if (isField) field = bytes.toString("latin1", start, colon).toLowerCase();
    if (!fields.has(field)) continue;
    const line = bytes.toString("utf8", isField ? colon + 1 : start, end);
    values.set(field, isField ? line : `${values.get(field)} ${line}`);
  }
  if (values.size > 0) yield relatedOf(values);
}

export const relations: Relations = { anyMachine: "all", read: readRelations };
