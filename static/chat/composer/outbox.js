// @ts-check

import { element } from "../elements.js";
import { UploadBatch } from "../files/upload-batch.js";
import { quoteElement } from "../log/quote.js";
import { gettext } from "../translation.js";
import { stored } from "./stored-messages.js";

/** @import { ServerError } from "../connection/errors.js" */
/** @import { Attachment } from "../files/attachment.js" */
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
 * @property {UploadBatch} files
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
 * One text goes out at a time: if it is refused for now, none that was written later may be ahead of it. Nor may any
 * while its files are being uploaded.
 */
export class ChatOutbox extends HTMLElement {
  /**
   * Hands an id, a text, what it replies to and its files to the connection; returns whether they went out.
   *
   * @type {(id: string, text: string, quote: Quote | null, files: Attachment[]) => boolean}
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

  /** Whether there are files that would be lost with the page. */
  get uploading() {
    return [...this.#entries.values()].some(({ files }) => !files.ready);
  }

  get full() {
    return this.#entries.size >= ENTRIES_MAX;
  }

  /**
   * Keep the entries under `key` in the tab's storage, and take over what is there.
   *
   * @param {string} key
   * @returns {string[]} the texts of entries whose files were lost before they were uploaded
   */
  keepIn(key) {
    this.#storageKey = key;
    const entries = stored(key);
    for (const { id, text, quote, files } of entries) if (files !== null) this.#enter(id, text, quote, files);
    return entries.filter(({ files }) => files === null).map(({ text }) => text);
  }

  /**
   * Leave the entries to the page that comes next, and that will look for them under `key`.
   *
   * @param {string} key
   */
  moveTo(key) {
    for (const { id, text, quote, files } of stored(key)) this.#enter(id, text, quote, files ?? new UploadBatch());
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
   * @param {UploadBatch} [files] which may still be on their way
   */
  add(text, quote = null, files = new UploadBatch()) {
    this.#enter(newId(), text, quote, files);
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
   * The files of a message that waits here; null if it is not of this outbox.
   *
   * @param {string | null} id
   */
  filesOf(id) {
    return (id !== null && this.#entries.get(id)?.files) || null;
  }

  /**
   * @param {string} id
   * @param {string} text
   * @param {Quote | null} quote
   * @param {UploadBatch} files
   */
  #enter(id, text, quote, files) {
    const words = element("p", "text", text);
    words.dir = "auto";
    const meta = element("span", "meta", gettext("Waiting to be sent"));
    const bubble = element("div", "bubble");
    if (quote !== null) bubble.append(quoteElement(quote, null));
    if (text !== "") bubble.append(words);
    if (!files.empty) bubble.append(files.list);
    bubble.append(meta);
    const line = element("div", "message own pending");
    line.append(bubble);
    this.append(line);
    this.#entries.set(id, { text, quote, files, line, meta, sent: false, refusals: 0 });
    files.changed = () => {
      if (text === "" && files.empty) this.settle(id); // the reader has taken the last file back
      this.#store();
      this.#sendOldest();
    };
  }

  #sendOldest() {
    const [oldest] = this.#entries;
    if (oldest && !oldest[1].files.ready) oldest[1].meta.textContent = gettext("Waiting for its files");
    else if (oldest && !this.#pause && !oldest[1].sent) {
      const [id, entry] = oldest;
      entry.sent = this.transmit(id, entry.text, entry.quote, entry.files.attachments);
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
    const entries = Array.from(this.#entries, ([id, { text, quote, files }]) => {
      if (files.empty) return quote ? [id, text, quote] : [id, text];
      return [id, text, quote, files.ready ? files.attachments : null];
    });
    try {
      sessionStorage.setItem(this.#storageKey, JSON.stringify(entries));
    } catch {
      // Storage is full or forbidden: then what is not settled ends with the page.
    }
  }
}

/**
 * The reason why a message waits, in words.
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

/** Not crypto.randomUUID(), which is missing on pages that came over plain HTTP. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
