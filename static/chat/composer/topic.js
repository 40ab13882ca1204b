// @ts-check

import { find } from "../elements.js";

/**
 * The subject of the composer, where it is not simply a new message: an edit, or an answer to somebody.
 *
 * @typedef {object} Topic
 * @property {string} title says what it is
 * @property {string} about the text of the message that it is about
 * @property {string} [text] what the input begins with, in the place of what was being written, which comes back later
 * @property {boolean} [mayBeBlank] whether the text may be blank
 * @property {(text: string) => string} take takes the text; returns what is wrong, in words, or ""
 */

/** The line above the composer that shows the topic, with a button that drops it. */
export class ComposerTopic extends HTMLElement {
  /** Called when the reader drops the topic. */
  dropped = () => {};
  /** @type {Topic | null} */
  #topic = null;

  connectedCallback() {
    find(this, "button", HTMLButtonElement).addEventListener("click", () => this.dropped());
  }

  get topic() {
    return this.#topic;
  }

  set topic(topic) {
    this.#topic = topic;
    find(this, ".topic-title", HTMLElement).textContent = topic?.title ?? "";
    find(this, ".topic-about", HTMLElement).textContent = topic?.about ?? "";
    this.hidden = topic === null;
  }
}
