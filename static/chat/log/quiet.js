// @ts-check

const LASTS = 500; // milliseconds from the last addition until screen readers read out again what is added

/** Keeps screen readers from reading out what is added to a log and is no news. */
export class Quiet {
  #log;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLElement} log a live region */
  constructor(log) {
    this.#log = log;
  }

  /** Begin, or go on. */
  keep() {
    this.#log.ariaLive = "off";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#log.ariaLive = "polite";
    }, LASTS);
  }
}
