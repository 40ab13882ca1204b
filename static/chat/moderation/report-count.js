// @ts-check

import { element } from "../elements.js";
import { fill, ngettext } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */
/** @import { Standing } from "../standing.js" */

const REQUEST = "reports"; // the id of that question

/** Tells a moderator how many messages are reported in the room, by a link to where they are. */
export class ReportCount {
  #link;
  #send;
  #standing;

  /**
   * @param {HTMLAnchorElement} link
   * @param {(frame: Frame) => boolean} send
   * @param {Standing} standing
   */
  constructor(link, send, standing) {
    this.#link = link;
    this.#send = send;
    this.#standing = standing;
  }

  /** Ask for the count, and for what it becomes, if the reader is to know: the connection is open, or the role new. */
  follow() {
    if (this.#standing.moderates) this.#send({ reports: true, request: REQUEST });
    else this.#link.hidden = true;
  }

  /** @param {Frame} frame of kind "reports" */
  show({ open }) {
    this.#link.hidden = open === 0 || !this.#standing.moderates;
    const words = fill(ngettext("%(count)s reported message", "%(count)s reported messages", open), { count: open });
    this.#link.ariaLabel = this.#link.title = words;
    // The style sheet shows one of the two.
    this.#link.replaceChildren(element("span", "words", words), element("span", "sign", `⚑ ${open}`));
  }

  /**
   * A question has failed. Returns whether it is this one: then the reader is no moderator, or will ask again.
   *
   * @param {ServerError} error
   */
  fail({ request }) {
    if (request !== REQUEST) return false;
    this.#link.hidden = true;
    return true;
  }
}
