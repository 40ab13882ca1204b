// @ts-check

import { gettext } from "./translation.js";
import { isBlank } from "./unseen.js";

/** @import { ChatOutbox } from "./composer/outbox.js" */
/** @import { Connection } from "./connection/connection.js" */
/** @import { FileTray } from "./files/file-tray.js" */
/** @import { Quote } from "./log/quote.js" */
/** @import { Timeline } from "./log/timeline.js" */
/** @import { ReadMarks } from "./rooms/read-marks.js" */
/** @import { Standing } from "./standing.js" */

const REFUSED = gettext("This room cannot be reached, so nothing was sent.");
const FULL = gettext("Too many messages are waiting to be sent. Try again once you are connected.");

/** Posts what the reader has written, with the files that they have chosen: to the outbox, unless it can't be sent anyway. */
export class Posting {
  #outbox;
  #connection;
  #standing;
  #marks;
  #timeline;
  #tray;

  /**
   * @param {ChatOutbox} outbox
   * @param {Connection} connection
   * @param {Standing} standing
   * @param {ReadMarks} marks
   * @param {Timeline} timeline
   * @param {FileTray} tray
   */
  constructor(outbox, connection, standing, marks, timeline, tray) {
    this.#outbox = outbox;
    this.#connection = connection;
    this.#standing = standing;
    this.#marks = marks;
    this.#timeline = timeline;
    this.#tray = tray;
  }

  /**
   * @param {string} text may be blank where there are files
   * @param {Quote} [quote] of the message that it replies to
   * @returns {string} what is wrong, in words, or "" once the text is taken
   */
  post(text, quote) {
    const fault = this.#fault;
    if (fault !== "") return fault;
    this.#outbox.add(isBlank(text) ? "" : text, quote, this.#tray.take());
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
