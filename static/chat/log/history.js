// @ts-check

import { find } from "../elements.js";

/**
 * The way to what was said earlier, above the log: a button and a line of words.
 *
 * Pages are asked for one at a time, and again over the next connection if the last one was lost. Answers come in the
 * order of the questions.
 */
export class ChatHistory extends HTMLElement {
  /** The offset at which the log begins. */
  start = () => 1;
  /**
   * Asks for the page before an offset; returns whether the question went out.
   *
   * @type {(before: number) => boolean}
   */
  ask = () => false;

  #more = false;
  #loading = false;
  /** @type {number[]} */
  #asked = [];

  connectedCallback() {
    this.#button.addEventListener("click", () => this.load());
  }

  /**
   * Whether there is anything before the log.
   *
   * @param {boolean} more
   */
  set more(more) {
    this.#more = more;
    this.#show();
  }

  load() {
    if (this.#loading || !this.#more) return;
    this.#loading = true;
    this.#ask();
    this.#show();
  }

  /** Load the page before the log even if one is on its way, because the log begins elsewhere now. */
  reload() {
    this.#loading = false;
    this.#more = true;
    this.load();
  }

  /** The connection is another, or gone: nothing that was asked over the last one will be answered. */
  resume() {
    this.#asked = [];
    if (this.#loading) this.#ask();
  }

  /** An answer has come. Returns whether it is the page before the log, which may have changed since the question. */
  answer() {
    const fits = this.#asked.shift() === this.start();
    this.#loading = this.#asked.length > 0;
    this.#show();
    return fits;
  }

  #ask() {
    const before = this.start();
    if (this.ask(before)) this.#asked.push(before);
  }

  get #button() {
    return find(this, "button", HTMLButtonElement);
  }

  #show() {
    this.#button.textContent = this.#loading ? "Loading…" : "Load older messages";
    this.#button.ariaDisabled = String(this.#loading);
    if (!this.#more && this.#button === document.activeElement)
      /** @type {HTMLElement | null} */ (this.closest("[tabindex]"))?.focus();
    this.#button.hidden = !this.#more;
    find(this, "[role=status]", HTMLElement).textContent = this.#more ? "" : "Beginning of the room";
  }
}
