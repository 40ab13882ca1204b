// @ts-check

import { element } from "../elements.js";
import { gettext } from "../translation.js";
import { formattedText } from "./formatted-text.js";

const ROW = 60; // characters: fewer than a row of the widest bubble holds
const ROWS_MAX = 30; // more are folded to the 16 that message.css leaves

/**
 * The text of a message, formatted or as it was written, and after it the button that unfolds it if it is long.
 *
 * @param {string} text
 * @param {string | null} [html] the text with its formatting, if it has any
 * @param {string | null} [readerId]
 * @returns {HTMLElement[]}
 */
export function messageText(text, html = null, readerId = null) {
  const words = html === null ? plainText(text) : formattedText(html, readerId);
  return isLong(text) ? [words, foldButton(words)] : [words];
}

/** @param {string} text */
function plainText(text) {
  const words = element("p", "text", text);
  words.dir = "auto";
  return words;
}

/**
 * Whether a text is too long to be shown whole at once. Counted and not measured, which would lay out the page for each.
 *
 * @param {string} text
 */
export function isLong(text) {
  const lines = text.replace(/\p{M}/gu, "").split("\n"); // marks stand over letters and take no room
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(line.length / ROW)), 0) > ROWS_MAX;
}

/** @param {HTMLElement} words */
function foldButton(words) {
  const button = element("button", "fold quiet");
  button.type = "button";
  button.ariaLive = "off"; // its new words are no news
  /** @param {boolean} folded */
  const fold = (folded) => {
    words.classList.toggle("folded", folded);
    button.textContent = folded ? gettext("Show more") : gettext("Show less");
    button.ariaExpanded = String(!folded);
  };
  button.addEventListener("click", () => {
    const folded = !words.classList.contains("folded");
    button.dispatchEvent(new Event("beforefold", { bubbles: true }));
    fold(folded);
    if (folded) words.scrollIntoView({ block: "nearest" });
  });
  fold(true);
  return button;
}
