// @ts-check

import { NOT_CONNECTED } from "../connection/errors.js";
import { element, find } from "../elements.js";
import { gettext, locales } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */
/** @import { Message } from "./message.js" */

const REQUEST = "versions"; // the id of the question
const fullDate = new Intl.DateTimeFormat(locales, { dateStyle: "full", timeStyle: "medium" });

/** The dialog that shows a room's owner the texts that a message had. */
export class MessageVersions {
  #dialog;
  #ask;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {(question: Frame) => boolean} ask returns whether the question went out
   */
  constructor(dialog, ask) {
    this.#dialog = dialog;
    this.#ask = ask;
    find(dialog, "button", HTMLButtonElement).addEventListener("click", () => dialog.close());
  }

  /** @param {Message} message */
  show({ offset }) {
    this.#list.replaceChildren();
    this.#status.textContent = this.#ask({ versions: offset, request: REQUEST }) ? gettext("Loading…") : NOT_CONNECTED;
    this.#dialog.showModal();
  }

  /**
   * The texts have come.
   *
   * @param {Frame} frame
   */
  receive({ versions }) {
    this.#status.textContent = "";
    this.#list.replaceChildren(...versions.map(item));
  }

  /**
   * A question has failed. Returns whether it is this one: then the texts can't be had.
   *
   * @param {ServerError} error
   */
  fail({ request, text }) {
    if (request !== REQUEST) return false;
    this.#status.textContent = text;
    return true;
  }

  get #list() {
    return find(this.#dialog, "ol", HTMLElement);
  }

  get #status() {
    return find(this.#dialog, "[role=status]", HTMLElement);
  }
}

/** @param {{ message: string, since: string | null }} version */
function item({ message, since }) {
  const text = element("p", "text", message);
  text.dir = "auto";
  const time = element("time", "time", since === null ? "" : fullDate.format(new Date(since)));
  time.dateTime = since ?? "";
  const item = element("li", "version");
  item.append(text, time);
  return item;
}
