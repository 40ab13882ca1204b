// @ts-check

import { element, find } from "../elements.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { Message } from "./message.js" */

const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The dialog that shows a room's owner the texts that a message had. */
export class MessageVersions {
  #dialog;
  #ask;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {(offset: number | null) => boolean} ask asks for the texts of the message there; returns whether that went out
   */
  constructor(dialog, ask) {
    this.#dialog = dialog;
    this.#ask = ask;
    find(dialog, "button", HTMLButtonElement).addEventListener("click", () => dialog.close());
  }

  /** @param {Message} message */
  show({ offset }) {
    this.#list.replaceChildren();
    this.#status.textContent = this.#ask(offset) ? "Loading…" : "You are not connected. Try again once you are.";
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
   * The texts can't be had.
   *
   * @param {string} fault why, in words
   */
  fail(fault) {
    this.#status.textContent = fault;
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
