// @ts-check

const STORE_DELAY = 300; // ms without a change after which a draft is stored
const LENGTH_MAX = 500_000; // UTF-16 units: a longer one would take the storage from the outbox

/** The text that is being written, kept in the tab's storage: it outlives a reload, and no other tab changes it. */
export class Draft {
  #key;
  #text = "";
  #stored = "";
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {string} key names person and room */
  constructor(key) {
    this.#key = key;
    try {
      this.#text = this.#stored = sessionStorage.getItem(key) ?? "";
    } catch {
      // Storage is forbidden: then drafts end with the page.
    }
    addEventListener("pagehide", () => this.#store());
    document.addEventListener("visibilitychange", () => this.#store()); // a phone may end a page that nobody sees
  }

  /**
   * Leave the text to the page that comes next, and that will look for it under `key`.
   *
   * @param {string} key
   */
  moveTo(key) {
    clearTimeout(this.#timer);
    try {
      if (this.#text !== "") sessionStorage.setItem(key, this.#text);
      sessionStorage.removeItem(this.#key);
    } catch {
      // Storage is full or forbidden: then the draft ends with the page.
    }
    this.#key = key;
    this.#stored = this.#text;
  }

  get text() {
    return this.#text;
  }

  set text(text) {
    this.#text = text;
    clearTimeout(this.#timer);
    if (text === "")
      this.#store(); // it has been sent: nothing is to bring it back
    else this.#timer = setTimeout(() => this.#store(), STORE_DELAY);
  }

  #store() {
    const text = this.#text.length > LENGTH_MAX ? "" : this.#text;
    if (text === this.#stored) return;
    this.#stored = text;
    try {
      sessionStorage.setItem(this.#key, text);
    } catch {
      // Storage is full or forbidden: then the draft ends with the page.
    }
  }
}
