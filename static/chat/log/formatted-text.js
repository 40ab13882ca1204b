// @ts-check

import { element } from "../elements.js";
import { personElement } from "../profile.js";

const ELEMENTS = new Set(["blockquote", "br", "code", "em", "li", "ol", "p", "pre", "s", "strong", "ul"]);
const SCHEMES = new Set(["http:", "https:"]);

/**
 * The text of a message with its formatting.
 *
 * The server makes HTML that is safe. All the same nothing of it gets into the page: elements are made anew, those that
 * messages can have, and of attributes just what these need.
 *
 * @param {string} html
 * @param {string | null} [readerId] the id of the person for whom what calls them stands out
 */
export function formattedText(html, readerId = null) {
  const words = element("div", "text formatted");
  words.dir = "auto";
  // This document is shown nowhere: nothing in it is run or loaded.
  words.append(...copies(new DOMParser().parseFromString(html, "text/html").body, readerId));
  return words;
}

/**
 * @param {Node} parent
 * @param {string | null} readerId
 * @returns {Node[]}
 */
function copies(parent, readerId) {
  return Array.from(parent.childNodes).flatMap((node) => copy(node, readerId));
}

/**
 * @param {Node} node
 * @param {string | null} readerId
 * @returns {Node[]} what an element has in it, if it is none that messages can have
 */
function copy(node, readerId) {
  if (node instanceof Text) return [new Text(node.data)];
  if (!(node instanceof HTMLElement)) return [];
  const children = copies(node, readerId);
  const made = node.classList.contains("mention") ? mention(node.dataset.person ?? "", readerId) : remade(node);
  if (made === null) return children;
  made.append(...children);
  return [made];
}

/**
 * A mention of a person, or of the whole room.
 *
 * @param {string} personId
 * @param {string | null} readerId
 */
function mention(personId, readerId) {
  const made = personElement(personId, "mention");
  made.classList.toggle("me", personId === readerId || personId === "room");
  return made;
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
