// @ts-check

import { NOT_CONNECTED } from "../connection/errors.js";
import { find } from "../elements.js";
import { gettext } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */
/** @import { Message } from "../log/message.js" */
/** @import { Notice } from "../log/notice.js" */

const REQUEST = "report"; // the id of that question

/** The dialog in which a message is reported, with a reason. */
export class ReportDialog {
  #dialog;
  #send;
  #notice;
  /** @type {number | null} */
  #offset = null;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {(frame: Frame) => boolean} send returns whether the frame went out
   * @param {Notice} notice says that it is done
   */
  constructor(dialog, send, notice) {
    this.#dialog = dialog;
    this.#send = send;
    this.#notice = notice;
    find(dialog, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#report();
    });
    find(dialog, "[data-cancel]", HTMLButtonElement).addEventListener("click", () => dialog.close());
  }

  /** @param {Message} message */
  show({ offset, userName, text }) {
    this.#offset = offset;
    this.#reason.value = "";
    this.#status.textContent = "";
    find(this.#dialog, ".report-author", HTMLElement).textContent = userName;
    find(this.#dialog, ".report-text", HTMLElement).textContent = text;
    this.#dialog.showModal();
    this.#reason.focus();
  }

  /**
   * The report is stored.
   *
   * @param {Frame} frame of kind "reported"
   */
  done({ target }) {
    if (target !== this.#offset) return;
    this.#offset = null;
    this.#dialog.close();
    this.#notice.say(gettext("The message is reported."));
  }

  /**
   * A question has failed. Returns whether it is this one.
   *
   * @param {ServerError} error
   */
  fail({ request, text }) {
    if (request !== REQUEST) return false;
    this.#status.textContent = text;
    return true;
  }

  #report() {
    const sent = this.#send({ report: this.#offset, reason: this.#reason.value, request: REQUEST });
    this.#status.textContent = sent ? "" : NOT_CONNECTED;
  }

  get #reason() {
    return find(this.#dialog, "textarea", HTMLTextAreaElement);
  }

  get #status() {
    return find(this.#dialog, "[role=alert]", HTMLElement);
  }
}
