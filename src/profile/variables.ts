/** Fills in variables, written `${name}`, in a profile's URLs and paths. */
import type { ErrorAt } from "./config-error.ts";
import type { IniSection, IniValue } from "./ini.ts";
import { nearestHint } from "./section.ts";

export type Variables = ReadonlyMap<string, string>;

/**
 * Reads the section `[variables]`. A variable's value can't refer to another variable.
 * @throws what `errorAt` makes, if a value has a `$`
 */
export function readVariables(section: IniSection | undefined, errorAt: ErrorAt): Variables {
  const variables = new Map<string, string>();
  for (const [name, { text, line }] of section?.values ?? []) {
    if (text.includes("$"))
      throw errorAt(line, `variable "${name}" contains a $, but one variable can't refer to another`);
    variables.set(name, text);
  }
  return variables;
}

/**
 * Returns a value with its variables filled in. The caller must check the result as it would check a value without variables.
 * @throws what `errorAt` makes, if a variable is not defined, or a `$` is not followed by `{name}`
 */
export function fillIn(value: IniValue, variables: Variables, errorAt: ErrorAt): IniValue {
  const text = value.text.replace(/\$(?:\{([^{}]*)\})?/g, (_found, name: string | undefined) => {
    if (name === undefined) throw errorAt(value.line, `"${value.text}" has a $ without {name}`);
    const filled = variables.get(name);
    if (filled !== undefined) return filled;
    const known = [...variables.keys()];
    const hint = known.length === 0 ? "define it in a section [variables]" : nearestHint("variable", name, known);
    throw errorAt(value.line, `variable "${name}" is not defined`, hint);
  });
  return { text, line: value.line };
}
