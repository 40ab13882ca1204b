// @ts-check

import { element } from "../elements.js";
import { gettext } from "../translation.js";

/** @import { ChatLog } from "./chat-log.js" */

/** The line "New" in a log: before the first message of others after an offset, once all from there on is shown. */
export class NewLine {
  #log;
  /** @type {number | null} */
  #after = null;

  /** @param {ChatLog} log */
  constructor(log) {
    this.#log = log;
  }

  /**
   * Let the line stand after an offset. Returns it, if it is there.
   *
   * @param {number} after
   */
  mark(after) {
    this.#after = after;
    return this.place();
  }

  /** Nothing is new. */
  clear() {
    this.#after = null;
    this.remove();
  }

  /** Take the line out, while others change. */
  remove() {
    this.#log.querySelector(":scope > .new-line")?.remove();
  }

  /**
   * Put the line where it belongs among the lines that there are now. Returns it, if it is there.
   *
   * @returns {Element | null}
   */
  place() {
    this.remove();
    const first = this.#firstNew();
    if (!first) return null;
    const day = first.previousElementSibling;
    const line = newLine();
    (day?.matches(".day") && day !== this.#log.firstElementChild ? day : first).before(line);
    first.classList.remove("continued");
    return line;
  }

  #firstNew() {
    const after = this.#after;
    const { firstOffset, lines } = this.#log;
    if (after === null || firstOffset === null || firstOffset > after + 1) return undefined;
    return Array.from(this.#log.children).find((line) => {
      const message = lines.messageOf(line);
      return message?.kind === "message" && message.userId !== lines.readerId && (message.offset ?? 0) > after;
    });
  }
}

/** It isn't read out as it appears: the messages themselves are. */
function newLine() {
  const line = element("div", "new-line", gettext("New"));
  line.ariaLive = "off";
  return line;
}
