// @ts-check

import { find } from "../elements.js";
import { fill, gettext } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */
/** @import { Standing } from "../standing.js" */

const ASK_WITHIN = 1_000; // milliseconds; all pages of a room would ask at once

/**
 * Shows what keeps the reader from posting: in a read-only room a sentence in the place of the composer, in slow mode
 * for how long they have to wait. In a room where they can't be any more, the page's notice takes that place.
 */
export class PostingLimits {
  /** Asks the server for the limits. */
  ask = () => {};

  #form;
  #sentence;
  #countdown;
  #standing;
  #slowMode;
  /** When the reader may post again, as performance.now() has it. */
  #until = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {HTMLFormElement} form of the composer
   * @param {HTMLElement} sentence stands in its place
   * @param {Standing} standing
   * @param {number} slowMode seconds from one message of a person to the next
   */
  constructor(form, sentence, standing, slowMode) {
    this.#form = form;
    this.#sentence = sentence;
    this.#countdown = find(form, "#chat-slow-mode", HTMLElement);
    this.#standing = standing;
    this.#slowMode = slowMode;
    this.show();
  }

  /** The limits are others, or the reader's role is. */
  show() {
    const { excluded, roomIsClosed } = this.#standing;
    this.#form.hidden = excluded || roomIsClosed;
    this.#sentence.hidden = excluded || !roomIsClosed;
    if (this.#pause === 0) this.#wait(0);
  }

  /**
   * Something has changed in the room.
   *
   * @param {Frame} frame of a notice
   */
  hear({ access }) {
    if (access === "read_only" || access === "writable") {
      this.#standing.readOnly = access === "read_only";
      this.show();
    }
    if (access === "slow_mode") setTimeout(() => this.ask(), Math.random() * ASK_WITHIN);
  }

  /**
   * The server has told the limits.
   *
   * @param {Frame} frame of kind "me"; an older instance's has none of them
   */
  take({ read_only: readOnly = false, slow_mode: slowMode = 0 }) {
    this.#standing.readOnly = readOnly;
    this.#slowMode = slowMode;
    this.show();
  }

  /** The reader's own message is stored. */
  posted() {
    if (this.#pause > 0) this.#wait(this.#pause);
  }

  /**
   * The server has refused something. What comes too early, the outbox keeps.
   *
   * @param {ServerError} error
   */
  fail({ code, retryAfter }) {
    if (code === "slow_mode") this.#wait(retryAfter ?? 0);
    return false;
  }

  get #pause() {
    return this.#standing.moderates ? 0 : this.#slowMode;
  }

  /** @param {number} seconds */
  #wait(seconds) {
    this.#until = performance.now() + seconds * 1000;
    this.#count();
  }

  #count() {
    clearTimeout(this.#timer);
    const left = (this.#until - performance.now()) / 1000;
    this.#countdown.hidden = left <= 0;
    if (left <= 0) {
      this.#countdown.textContent = "";
      return;
    }
    const seconds = Math.ceil(left);
    this.#countdown.textContent = fill(gettext("Slow mode: you can write again in %(seconds)s s"), { seconds });
    this.#timer = setTimeout(() => this.#count(), (left - seconds + 1) * 1000);
  }
}
