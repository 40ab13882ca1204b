// @ts-check

import { emojiOf, REACTIONS } from "../reactions/reaction-bar.js";
import { removedBy } from "./link-previews.js";
import { ACTIONS, SHOW } from "./message-line.js";

/** @import { Reacting } from "../reactions/reacting.js" */
/** @import { ChatLog } from "./chat-log.js" */
/** @import { Message } from "./message.js" */
/** @import { MessageMenu } from "./message-menu.js" */

/** Presses of the reader on the messages of a log: their menu's button, its keys, reactions, and previews of links. */
export class MessagePresses {
  /** Removes the preview of a page from a message. */
  removeLink = (/** @type {Message} */ _message, /** @type {string} */ _url) => {};

  #log;
  #menu;
  #reacting;

  /**
   * @param {ChatLog} log
   * @param {MessageMenu} menu
   * @param {Reacting} reacting
   */
  constructor(log, menu, reacting) {
    this.#log = log;
    this.#menu = menu;
    this.#reacting = reacting;
    log.addEventListener("click", (event) => this.#openMenu(event));
    log.addEventListener("click", (event) => this.#pressReaction(event));
    log.addEventListener("click", (event) => this.#unfold(event));
    log.addEventListener("click", (event) => this.#removeLink(event));
    log.addEventListener("keydown", (event) => this.#pressKey(event));
  }

  /**
   * By its button, or, with a finger, by a press on the message itself.
   *
   * @param {MouseEvent} event
   */
  #openMenu(event) {
    if (!(event.target instanceof Element)) return;
    const line = event.target.closest(".message");
    const button = line?.querySelector(ACTIONS);
    const message = this.#log.lines.messageOf(line);
    if (!(button instanceof HTMLElement) || !message) return;
    const onText = event.target.closest(".bubble") && !event.target.closest("a, button");
    const byFinger = event instanceof PointerEvent && event.pointerType === "touch" && getSelection()?.isCollapsed;
    if (!button.contains(event.target) && !(onText && byFinger)) return;
    button.focus({ preventScroll: true }); // which Safari doesn't do by itself
    this.#menu.toggle(button, message);
  }

  /** @param {MouseEvent} event */
  #unfold({ target }) {
    const line = target instanceof Element && target.closest(SHOW)?.closest(".message");
    if (line) this.#log.lines.unfold(line);
  }

  /** @param {MouseEvent} event */
  #removeLink({ target }) {
    const url = target instanceof Element ? removedBy(target) : null;
    const message = target instanceof Element && this.#log.lines.messageOf(target.closest(".message"));
    if (url !== null && message) this.removeLink(message, url);
  }

  /** @param {MouseEvent} event */
  #pressReaction({ target }) {
    const button = target instanceof Element ? target.closest(REACTIONS) : null;
    const message = this.#log.lines.messageOf(button?.closest(".message"));
    if (!button || !message) return;
    const emoji = emojiOf(button);
    if (emoji === null) this.#reacting.choose(message);
    else this.#reacting.react(message, emoji);
  }

  /**
   * The keys of the actions, on the message that has the focus.
   *
   * @param {KeyboardEvent} event
   */
  #pressKey(event) {
    if (!(event.target instanceof Element && event.target.matches(ACTIONS))) return;
    const message = this.#log.lines.messageOf(event.target.closest(".message"));
    if (message && this.#menu.pressKey(event, message)) event.preventDefault();
  }
}
