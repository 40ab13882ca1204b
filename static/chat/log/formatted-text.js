// @ts-check

import { element } from "../elements.js";

const ELEMENTS = new Set(["blockquote", "br", "code", "em", "li", "ol", "p", "pre", "s", "strong", "ul"]);
const SCHEMES = new Set(["http:", "https:"]);

/**
 * The text of a message with its formatting.
 *
 * The server makes HTML that is safe. All the same nothing of it gets into the page: elements are made anew, those that
 * messages can have, and of attributes just what these need.
 *
 * @param {string} html
 */
export function formattedText(html) {
  const words = element("div", "text formatted");
  words.dir = "auto";
  // This document is shown nowhere: nothing in it is run or loaded.
  words.append(...copies(new DOMParser().parseFromString(html, "text/html").body));
  return words;
}

/**
 * @param {Node} parent
 * @returns {Node[]}
 */
function copies(parent) {
  return Array.from(parent.childNodes).flatMap(copy);
}

/**
 * @param {Node} node
 * @returns {Node[]} what an element has in it, if it is none that messages can have
 */
function copy(node) {
  if (node instanceof Text) return [new Text(node.data)];
  if (!(node instanceof HTMLElement)) return [];
  const children = copies(node);
  const made = remade(node);
  if (made === null) return children;
  made.append(...children);
  return [made];
}

/** @param {HTMLElement} from */
function remade(from) {
  if (from.localName === "a") return link(from.getAttribute("href") ?? "");
  if (!ELEMENTS.has(from.localName)) return null;
  const made = document.createElement(from.localName);
  if (made instanceof HTMLOListElement && from instanceof HTMLOListElement) made.start = from.start;
  if (made instanceof HTMLPreElement) made.tabIndex = 0; // so that the arrow keys can scroll it
  return made;
}

/** @param {string} address */
function link(address) {
  if (!URL.canParse(address) || !SCHEMES.has(new URL(address).protocol)) return null;
  const made = document.createElement("a");
  made.href = address;
  made.target = "_blank";
  made.rel = "noopener noreferrer nofollow";
  return made;
}
