// @ts-check

/**
 * The first element within `root` that a selector fits.
 *
 * @template {Element} T
 * @param {ParentNode} root
 * @param {string} selector
 * @param {abstract new (...args: any[]) => T} type
 * @returns {T}
 * @throws {Error} where there is none of that type: script and template don't belong together
 */
export function find(root, selector, type) {
  const element = root.querySelector(selector);
  if (element instanceof type) return element;
  throw new Error(`No ${type.name} at ${selector}`);
}

/** Whether a dialog is open, over which a key opens no other. */
export function dialogIsOpen() {
  return document.querySelector("dialog[open]") !== null;
}

/**
 * A new element.
 *
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 */
export function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
