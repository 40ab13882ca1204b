// @ts-check

import { gettext } from "./translation.js";

/** @import { ChatOutbox } from "./composer/outbox.js" */
/** @import { Connection } from "./connection/connection.js" */
/** @import { Quote } from "./log/quote.js" */
/** @import { Timeline } from "./log/timeline.js" */
/** @import { ReadMarks } from "./rooms/read-marks.js" */
/** @import { Standing } from "./standing.js" */

const REFUSED = gettext("This room cannot be reached, so nothing was sent.");
const FULL = gettext("Too many messages are waiting to be sent. Try again once you are connected.");

/** Posts what the reader has written: to the outbox, unless it can't be sent anyway. */
export class Posting {
  #outbox;
  #connection;
  #standing;
  #marks;
  #timeline;

  /**
   * @param {ChatOutbox} outbox
   * @param {Connection} connection
   * @param {Standing} standing
   * @param {ReadMarks} marks
   * @param {Timeline} timeline
   */
  constructor(outbox, connection, standing, marks, timeline) {
    this.#outbox = outbox;
    this.#connection = connection;
    this.#standing = standing;
    this.#marks = marks;
    this.#timeline = timeline;
  }

  /**
   * @param {string} text
   * @param {Quote} [quote] of the message that it replies to
   * @returns {string} what is wrong, in words, or "" once the text is taken
   */
  post(text, quote) {
    const fault = this.#fault;
    if (fault !== "") return fault;
    this.#outbox.add(text, quote);
    this.#marks.release();
    this.#timeline.toNewest();
    return "";
  }

  get #fault() {
    if (this.#standing.fault !== "") return this.#standing.fault;
    if (this.#connection.state === "refused") return REFUSED;
    return this.#outbox.full ? FULL : "";
  }
}
