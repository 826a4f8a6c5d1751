/** Finds or makes elements of the page. Text from outside is set only as text, never as HTML. */

/** Returns the element with an ID. @throws Error if the page has no element of this kind with the ID */
export function found<Kind extends HTMLElement>(id: string, kind: abstract new () => Kind): Kind {
  const element = document.getElementById(id);
  if (element instanceof kind) return element;
  throw new Error(`the page has no ${id}`);
}

/** Makes an element with text or other elements in it. */
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
