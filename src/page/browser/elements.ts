/** Elements of the page, found or made. Text from outside is only ever set as text. */

/** The element of an ID. @throws Error if the page has none of that kind */
export function found<Kind extends HTMLElement>(id: string, kind: abstract new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${id}`);
}

/** A new element with text or other elements in it. */
export function made<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  content: string | readonly (string | Node)[],
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (className !== "") element.className = className;
  for (const part of typeof content === "string" ? [content] : content) element.append(part);
  return element;
}
