// @ts-check

const ENTRIES_MAX = 100;
const ANSWER_TIMEOUT = 20_000; // milliseconds

/**
 * @typedef {object} Entry
 * @property {string} text
 * @property {HTMLElement} line
 * @property {HTMLElement} meta
 * @property {boolean} sent whether it went out over the present connection
 */

/**
 * What the reader has written and the room has not echoed yet, oldest first.
 *
 * Each text has an id under which the server takes it only once. So whatever is not settled is sent again over every
 * new connection, and, kept in the tab's storage, even by the page that a reload brings.
 */
export class ChatOutbox extends HTMLElement {
  /**
   * Hands an id and a text to the connection; returns whether they went out.
   *
   * @type {(id: string, text: string) => boolean}
   */
  transmit = () => false;
  /** Called when nothing that went out has been settled for long. */
  stalled = () => {};

  /** @type {Map<string, Entry>} */
  #entries = new Map();
  #storageKey = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** Something was refused for now: since then one text goes out at a time, until nothing is left. */
  #paced = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

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
    for (const [id, text] of stored(key)) this.#enter(id, text);
  }

  /** @param {string} text */
  add(text) {
    const id = newId();
    const entry = this.#enter(id, text);
    this.#store();
    if (!this.#paced) this.#send(id, entry);
  }

  /** The connection is another, or gone: sends everything again, in order. */
  sendAll() {
    if (!this.#paced) {
      for (const [id, entry] of this.#entries) this.#send(id, entry);
      return;
    }
    for (const entry of this.#entries.values()) entry.sent = false;
    this.#sendOldest();
  }

  /**
   * The server takes this message in so many seconds, and not before: keeps it until then, and whatever comes after it.
   * Returns false if it is not of this outbox.
   *
   * @param {string} id
   * @param {number} seconds
   */
  postpone(id, seconds) {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#paced = true;
    entry.sent = false;
    entry.meta.textContent = "Waiting to be sent: that was too fast";
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#sendOldest();
    }, seconds * 1000);
    this.#watch();
    return true;
  }

  /**
   * The room has this message, or the server refuses it: returns its text, null if it is not of this outbox.
   *
   * @param {string} id
   * @returns {string | null}
   */
  settle(id) {
    const entry = this.#entries.get(id);
    if (!entry) return null;
    this.#entries.delete(id);
    entry.line.remove();
    this.#store();
    this.#watch();
    if (this.#entries.size === 0) this.#paced = false;
    if (this.#paced) this.#sendOldest();
    return entry.text;
  }

  /**
   * @param {string} id
   * @param {string} text
   */
  #enter(id, text) {
    const words = document.createElement("p");
    words.className = "text";
    words.dir = "auto";
    words.textContent = text;
    const meta = document.createElement("span");
    meta.className = "meta";
    const bubble = document.createElement("div");
    bubble.className = "bubble";
    bubble.append(words, meta);
    const line = document.createElement("div");
    line.className = "message own pending";
    line.append(bubble);
    this.append(line);
    const entry = { text, line, meta, sent: false };
    this.#entries.set(id, entry);
    return entry;
  }

  #sendOldest() {
    const [first] = this.#entries;
    if (first && !this.#pause && !first[1].sent) this.#send(...first);
  }

  /**
   * @param {string} id
   * @param {Entry} entry
   */
  #send(id, entry) {
    entry.sent = this.transmit(id, entry.text);
    entry.meta.textContent = entry.sent ? "Sending…" : "Waiting to be sent";
    this.#watch();
  }

  #watch() {
    clearTimeout(this.#timer);
    const [oldest] = this.#entries.values();
    if (oldest?.sent) this.#timer = setTimeout(() => this.stalled(), ANSWER_TIMEOUT);
  }

  #store() {
    const entries = Array.from(this.#entries, ([id, { text }]) => [id, text]);
    try {
      sessionStorage.setItem(this.#storageKey, JSON.stringify(entries));
    } catch {
      // Storage is full or forbidden: then what is not settled ends with the page.
    }
  }
}

/**
 * @param {string} key
 * @returns {[id: string, text: string][]}
 */
function stored(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "[]");
  } catch {
    return [];
  }
}

/** Not crypto.randomUUID(), which is missing on pages that came over plain HTTP. */
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
