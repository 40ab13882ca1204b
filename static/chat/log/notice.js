// @ts-check

const SHOWN = 10_000; // milliseconds

/** Words about what the reader has just done with a message, above the log for a while. */
export class Notice {
  #element;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} element has the role "status" */
  constructor(element) {
    this.#element = element;
  }

  /** @param {string} text "" for nothing more */
  say(text) {
    this.#element.textContent = text;
    this.#element.hidden = text === "";
    clearTimeout(this.#timer);
    if (text !== "") this.#timer = setTimeout(() => this.say(""), SHOWN);
  }
}
