// @ts-check

import { find } from "../elements.js";
import { gettext } from "../translation.js";
import { readMessage } from "./message.js";
import { changedQuote } from "./quote.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { Message } from "./message.js" */

const ANSWER_TIMEOUT = 20_000; // milliseconds
const CHANGES_MAX = 1_000;

/**
 * The way to what was said earlier, above the log, or to what was said later, below it: a button and a line of words.
 * `data-load` is the button's label, `data-failed` stands before a fault, and `data-end` says that there is no more.
 *
 * Pages are asked for one at a time, and again over the next connection if the last one was lost. A question that fails
 * is asked again when the reader wants it.
 */
export class ChatHistory extends HTMLElement {
  /** The offset at which the log begins, or at which it ends where this is the way to what was said later. */
  start = () => 1;
  /**
   * Asks for the page before or after an offset, under an id that the answer will have; returns whether the question
   * went out.
   *
   * @type {(offset: number, request: string) => boolean}
   */
  ask = () => false;

  #more = false;
  #loading = false;
  /** Why the last page didn't come; "" if it did. */
  #fault = "";
  /**
   * The questions that went out over this connection, the oldest first: their ids, and their offsets.
   *
   * @type {Map<string, number>}
   */
  #asked = new Map();
  #questions = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /**
   * The last changes of messages, by their offsets. An answer may have been read before them.
   *
   * @type {Map<number, Partial<Message>>}
   */
  #changes = new Map();

  connectedCallback() {
    this.#button.addEventListener("click", () => {
      this.#fault = "";
      this.load();
    });
  }

  /**
   * Whether there is anything more.
   *
   * @param {boolean} more
   */
  set more(more) {
    this.#more = more;
    this.#show();
  }

  /** Load the next page, unless that has just failed. */
  load() {
    if (this.#loading || !this.#more || this.#fault !== "") return;
    this.#loading = true;
    this.#ask();
    this.#show();
  }

  /** Load the next page even if one is on its way, because the log begins elsewhere now. */
  reload() {
    this.#loading = false;
    this.#more = true;
    this.#fault = "";
    this.#changes.clear();
    this.load();
  }

  /** The connection is another, or gone: nothing that was asked over the last one will be answered. */
  resume() {
    this.#asked.clear();
    clearTimeout(this.#timer);
    if (this.#loading) this.#ask();
  }

  /**
   * The message at an offset has changed.
   *
   * @param {number} offset
   * @param {Partial<Message>} change
   */
  noteChange(offset, change) {
    const noted = this.#changes.get(offset);
    this.#changes.delete(offset);
    this.#changes.set(offset, noted?.deleted ? noted : { ...noted, ...change });
    const [oldest] = this.#changes.keys();
    if (oldest !== undefined && this.#changes.size > CHANGES_MAX) this.#changes.delete(oldest);
  }

  /**
   * Whether a question is one of these.
   *
   * @param {string | undefined} request its id
   */
  has(request) {
    return request !== undefined && this.#asked.has(request);
  }

  /**
   * An answer has come.
   *
   * @param {Frame} frame
   * @returns {Message[] | null} null if it isn't the page beside the log, which may have changed since the question
   */
  answer(frame) {
    const [oldest] = this.#asked.keys();
    const request = frame.request ?? oldest; // an older server answers in the order of the questions
    const before = this.#asked.get(request);
    const latest = this.#isLatest(request);
    this.#asked.delete(request);
    if (latest) this.#finish("");
    return latest && before === this.start() ? this.read(frame.messages) : null;
  }

  /**
   * Messages of the history, as they are by now.
   *
   * @param {Frame[]} entries
   * @returns {Message[]}
   */
  read(entries) {
    return entries
      .map(readMessage)
      .filter((message) => message !== null)
      .map((message) => {
        const change = message.offset === null ? undefined : this.#changes.get(message.offset);
        const changed = change && message.kind === "message" && !message.deleted ? { ...message, ...change } : message;
        const quoted = changed.replyTo && this.#changes.get(changed.replyTo.offset);
        return changed.replyTo && quoted ? { ...changed, replyTo: changedQuote(changed.replyTo, quoted) } : changed;
      });
  }

  /**
   * A question has failed.
   *
   * @param {string | null} request its id
   * @param {string} fault why, in words
   * @returns {boolean} whether it is one of these
   */
  fail(request, fault) {
    if (request === null || !this.#asked.has(request)) return false;
    const latest = this.#isLatest(request);
    this.#asked.delete(request);
    if (latest) this.#finish(fault);
    return true;
  }

  #ask() {
    const before = this.start();
    const request = `${this.id} ${++this.#questions}`;
    if (!this.ask(before, request)) return;
    this.#asked.set(request, before);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fail(request, gettext("The server doesn’t answer.")), ANSWER_TIMEOUT);
  }

  /** @param {string | undefined} request */
  #isLatest(request) {
    return request !== undefined && request === Array.from(this.#asked.keys()).at(-1);
  }

  /** @param {string} fault */
  #finish(fault) {
    clearTimeout(this.#timer);
    this.#loading = false;
    this.#fault = fault;
    this.#show();
  }

  get #button() {
    return find(this, "button", HTMLButtonElement);
  }

  #show() {
    const { load = "", end = "", failed } = this.dataset;
    const action = this.#fault === "" ? load : gettext("Try again");
    this.#button.textContent = this.#loading ? gettext("Loading…") : action;
    this.#button.ariaDisabled = String(this.#loading);
    if (!this.#more && this.#button === document.activeElement)
      /** @type {HTMLElement | null} */ (this.closest("[tabindex]"))?.focus();
    this.#button.hidden = !this.#more;
    const words = this.#fault && `${failed} ${this.#fault}`;
    find(this, "[role=status]", HTMLElement).textContent = this.#more ? words : end;
    if (end === "") this.hidden = !this.#more;
  }
}
