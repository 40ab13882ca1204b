// @ts-check

import { element } from "../elements.js";
import { quoteElement } from "../log/quote.js";
import { gettext } from "../translation.js";

/** @import { ServerError } from "../connection/errors.js" */
/** @import { Quote } from "../log/quote.js" */

const ENTRIES_MAX = 100;
// All in milliseconds.
const ANSWER_TIMEOUT = 20_000;
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** How often a message is sent again that the server fails to take for reasons it didn't foresee. */
const ATTEMPTS_MAX = 5;

/**
 * @typedef {object} Entry
 * @property {string} text
 * @property {Quote | null} quote of the message that it replies to
 * @property {HTMLElement} line
 * @property {HTMLElement} meta
 * @property {boolean} sent whether it went out, and no answer to that has come
 * @property {number} refusals how often it was refused for now
 */

/**
 * The messages that the reader has written and the room has not echoed yet, oldest first.
 *
 * Each text has an id under which the server takes it only once. So whatever is not settled is sent again over every
 * new connection, and, kept in the tab's storage, even by the page that a reload brings.
 *
 * One text goes out at a time: if it is refused for now, none that was written later may be ahead of it.
 */
export class ChatOutbox extends HTMLElement {
  /**
   * Hands an id, a text and what it replies to to the connection; returns whether they went out.
   *
   * @type {(id: string, text: string, quote: Quote | null) => boolean}
   */
  transmit = () => false;
  /** Called when what went out has got no answer for long. */
  stalled = () => {};

  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #storageKey = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;
  /**
   * Runs while the oldest text, refused for now, waits to be sent again.
   *
   * @type {ReturnType<typeof setTimeout> | undefined}
   */
  #pause;

  get empty() {
    return this.#entries.size === 0;
  }

  get full() {
    return this.#entries.size >= ENTRIES_MAX;
  }

  /**
   * Keep the entries under `key` in the tab's storage, and take over what is there.
   *
   * @param {string} key
   */
  keepIn(key) {
    this.#storageKey = key;
    for (const entry of stored(key)) this.#enter(...entry);
  }

  /**
   * Leave the entries to the page that comes next, and that will look for them under `key`.
   *
   * @param {string} key
   */
  moveTo(key) {
    for (const entry of stored(key)) this.#enter(...entry);
    try {
      sessionStorage.removeItem(this.#storageKey);
    } catch {
      // Storage is forbidden: then there is nothing to move.
    }
    this.#storageKey = key;
    this.#store();
  }

  /**
   * @param {string} text
   * @param {Quote | null} [quote] of the message that it replies to
   */
  add(text, quote = null) {
    this.#enter(newId(), text, quote);
    this.#store();
    this.#sendOldest();
  }

  /** The connection is another, or gone: what has got no answer will get none. */
  resume() {
    for (const entry of this.#entries.values()) {
      entry.sent = false;
      if (!this.#pause) entry.meta.textContent = gettext("Waiting to be sent");
    }
    this.#sendOldest();
  }

  /**
   * The server refuses a message. If that may pass, keeps it, to be sent again later.
   *
   * @param {string | null} id
   * @param {ServerError} error
   * @returns {boolean} whether it is kept; false, too, if it is not of this outbox
   */
  postpone(id, error) {
    const entry = id === null ? undefined : this.#entries.get(id);
    if (!entry || !mayPass(error, entry)) return false;
    entry.sent = false;
    entry.refusals += 1;
    entry.meta.textContent = wordsFor(error);
    clearTimeout(this.#pause);
    this.#pause = setTimeout(
      () => {
        this.#pause = undefined;
        this.#sendOldest();
      },
      pauseBefore(error, entry),
    );
    this.#watch();
    return true;
  }

  /**
   * The room has this message, or the server refuses it for good.
   *
   * @param {string | null} id
   * @returns {string | null} its text, null if it is not of this outbox
   */
  settle(id) {
    const entry = id === null ? undefined : this.#entries.get(id);
    if (id === null || !entry) return null;
    this.#entries.delete(id);
    entry.line.remove();
    if (entry.refusals > 0) this.#endPause();
    this.#store();
    this.#sendOldest();
    return entry.text;
  }

  /**
   * @param {string} id
   * @param {string} text
   * @param {Quote | null} [quote]
   */
  #enter(id, text, quote = null) {
    const words = element("p", "text", text);
    words.dir = "auto";
    const meta = element("span", "meta", gettext("Waiting to be sent"));
    const bubble = element("div", "bubble");
    if (quote !== null) bubble.append(quoteElement(quote, null));
    bubble.append(words, meta);
    const line = element("div", "message own pending");
    line.append(bubble);
    this.append(line);
    this.#entries.set(id, { text, quote, line, meta, sent: false, refusals: 0 });
  }

  #sendOldest() {
    const [oldest] = this.#entries;
    if (oldest && !this.#pause && !oldest[1].sent) {
      const [id, entry] = oldest;
      entry.sent = this.transmit(id, entry.text, entry.quote);
      entry.meta.textContent = entry.sent ? gettext("Sending…") : gettext("Waiting to be sent");
    }
    this.#watch();
  }

  #endPause() {
    clearTimeout(this.#pause);
    this.#pause = undefined;
  }

  #watch() {
    clearTimeout(this.#patience);
    const [oldest] = this.#entries.values();
    if (oldest?.sent) this.#patience = setTimeout(() => this.stalled(), ANSWER_TIMEOUT);
  }

  #store() {
    const entries = Array.from(this.#entries, ([id, { text, quote }]) => (quote ? [id, text, quote] : [id, text]));
    try {
      sessionStorage.setItem(this.#storageKey, JSON.stringify(entries));
    } catch {
      // Storage is full or forbidden: then what is not settled ends with the page.
    }
  }
}

/**
 * Why a message waits.
 *
 * @param {ServerError} error
 */
function wordsFor({ code, retryAfter }) {
  if (code === "slow_mode") return gettext("Waiting to be sent: slow mode");
  if (retryAfter) return gettext("Waiting to be sent: that was too fast");
  return gettext("Waiting to be sent: the server can’t take it at the moment");
}

/**
 * @param {ServerError} error
 * @param {Entry} entry
 */
function mayPass({ code, retryAfter }, { refusals }) {
  if (code === "internal_error") return refusals + 1 < ATTEMPTS_MAX;
  return retryAfter !== null || code === "unavailable";
}

/**
 * In milliseconds: as long as the server says, else longer each time, and a bit random, as others wait as well.
 *
 * @param {ServerError} error
 * @param {Entry} entry
 */
function pauseBefore({ retryAfter }, { refusals }) {
  if (retryAfter !== null) return retryAfter * 1000;
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (refusals - 1)) * (0.5 + Math.random() / 2);
}

/**
 * The messages that an outbox has left in the storage; anything else that is there is passed over.
 *
 * @param {string} key
 * @returns {[id: string, text: string, quote?: Quote | null][]}
 */
function stored(key) {
  try {
    const entries = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(entries) ? entries.filter(isEntry) : [];
  } catch {
    return [];
  }
}

/** @param {unknown} value */
function isEntry(value) {
  if (!Array.isArray(value)) return false;
  const [id, text, quote, ...more] = value;
  const replies = quote === undefined || Number.isSafeInteger(quote?.offset);
  return typeof id === "string" && typeof text === "string" && replies && more.length === 0;
}

/** Not crypto.randomUUID(), which is missing on pages that came over plain HTTP. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
