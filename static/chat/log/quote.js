// @ts-check

import { element } from "../elements.js";
import { gettext } from "../translation.js";
import { isBlank } from "../unseen.js";

/** @import { Message } from "./message.js" */

// As the server has them: chat/domain/texts.py.
const LENGTH_MAX = 200; // characters
const LINES_MAX = 3;

const GONE = gettext("Deleted, or no longer kept");
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The message that a reply quotes.
 *
 * @typedef {object} Quote
 * @property {number} offset of the message
 * @property {string | null} userId
 * @property {string | null} userName null where nobody in particular said it, or it is gone
 * @property {string | null} text how it begins; null where it is gone
 */

/**
 * Reads the `reply_to` of a frame.
 *
 * @param {any} given
 * @returns {Quote | null}
 */
export function readQuote(given) {
  if (!Number.isSafeInteger(given?.offset)) return null;
  return {
    offset: given.offset,
    userId: given.user_id ?? null,
    userName: given.user ?? null,
    text: given.message ?? null,
  };
}

/**
 * The quote of a message that has an offset.
 *
 * @param {Message} message
 * @returns {Quote}
 */
export function quoteOf({ offset, userId, userName, text }) {
  return { offset: offset ?? 0, userId, userName, text: beginning(text) };
}

/**
 * The quote, after its message has changed.
 *
 * @param {Quote} quote
 * @param {Partial<Message>} change
 * @returns {Quote}
 */
export function changedQuote(quote, { text, deleted }) {
  if (deleted) return { ...quote, userId: null, userName: null, text: null };
  return text === undefined || quote.text === null ? quote : { ...quote, text: beginning(text) };
}

/**
 * The beginning of a text, as the server cuts it.
 *
 * @param {string} text
 */
export function beginning(text) {
  const lines = text.split("\n").filter((line) => !isBlank(line));
  const begun = lines.slice(0, LINES_MAX).join("\n");
  if ([...begun].length > LENGTH_MAX) return `${firstCharacters(begun, LENGTH_MAX - 1)}…`;
  return lines.length > LINES_MAX || lines.length === 0 ? `${begun}…` : begun;
}

/**
 * @param {string} text
 * @param {number} length code points
 */
function firstCharacters(text, length) {
  const first = [...text].slice(0, length).join("");
  let end = 0;
  for (const { index } of graphemes.segment([...text].slice(0, length + 1).join(""))) {
    if (index <= first.length) end = index;
  }
  return first.slice(0, end || undefined);
}

/**
 * The element that shows what a reply quotes, and leads there.
 *
 * @param {Quote} quote
 * @param {string | null} readerId
 */
export function quoteElement({ offset, userId, userName, text }, readerId) {
  const quote = element("a", "quote");
  quote.href = `?at=${offset}`;
  quote.tabIndex = -1; // among the actions there is the same: not each message is to have more stops for the Tab key
  quote.dataset.at = String(offset);
  if (userName !== null) {
    const own = userId !== null && userId === readerId;
    quote.append(element("bdi", "quote-author", own ? gettext("You") : userName), " ");
  }
  const words = element("span", text === null ? "quote-text gone" : "quote-text", text ?? GONE);
  words.dir = "auto";
  quote.append(words);
  return quote;
}
