// @ts-check

import { emojiOf, showReactions } from "../reactions/reaction-bar.js";
import { changeBy } from "./message.js";
import { dayLine, messageLine, newLine } from "./message-line.js";
import { changedQuote } from "./quote.js";
import { roveFocus } from "./roving-focus.js";

/** @import { Reaction, Reactions } from "../reactions/reactions.js" */
/** @import { Message } from "./message.js" */
/** @import { MessageMenu } from "./message-menu.js" */

const LINES_MAX = 2_000;
const TURN_BREAK = 5 * 60_000; // ms between two messages of the same person that are not one turn
const QUIET = 500; // ms in which screen readers are not to read out what is added
const ACTIONS = ".actions";
const REACTIONS = ".reactions > button";

/**
 * What was said in a room, oldest first. Takes messages as message.js reads them.
 *
 * The children are flat: a `.day` before the first message of each day, one `.message` or `.notice-line` per message,
 * and perhaps one `.new-line`. The first child is always a `.day`. A message that carries on its sender's turn is `.continued`. An entry
 * that changes a message has no line; the message that it names is shown as it is then.
 *
 * Until this is defined, the children are those that the server rendered.
 */
export class ChatLog extends HTMLElement {
  /**
   * The id of the person reading, whose own messages are told apart.
   *
   * @type {string | null}
   */
  readerId = null;
  /** Whether the process and thread a message came from are shown as text. */
  showOrigin = false;
  /**
   * What can be done with a message.
   *
   * @type {MessageMenu | null}
   */
  menu = null;
  /**
   * The reader's own reactions, which may not be stored yet.
   *
   * @type {Reactions | null}
   */
  reactions = null;
  /** Has the reader react to a message, or no longer. */
  react = (/** @type {Message} */ _message, /** @type {string} */ _emoji) => {};
  /** Has the reader choose an emoji to react to a message with. */
  chooseReaction = (/** @type {Message} */ _message) => {};

  /** @type {WeakMap<Element, Message>} by line */
  #messages = new WeakMap();
  /** @type {number | null} */
  #firstOffset = null;
  /** @type {number | null} */
  #lastOffset = null;
  /**
   * What comes after this offset is new to the reader.
   *
   * @type {number | null}
   */
  #newAfter = null;

  connectedCallback() {
    this.replaceChildren();
    roveFocus(this, ACTIONS, REACTIONS);
    this.addEventListener("click", (event) => this.#openMenu(event));
    this.addEventListener("click", (event) => this.#pressReaction(event));
    this.addEventListener("keydown", (event) => this.#pressKey(event));
  }

  /** The transcript as plain text: what people wrote, each followed by a newline, without names and times. */
  get value() {
    const shown = Array.from(this.children).filter((line) => line.querySelector(".text"));
    return shown.map((line) => `${this.#messageAt(line)?.text}\n`).join("");
  }

  /** The lowest offset that has been added, null if there is none. */
  get firstOffset() {
    return this.#firstOffset;
  }

  /** The highest offset that has been added, null if there is none. */
  get lastOffset() {
    return this.#lastOffset;
  }

  /**
   * Show a message after all others.
   *
   * @param {Message} message
   */
  add(message) {
    this.#firstOffset ??= message.offset;
    this.#lastOffset = message.offset ?? this.#lastOffset;
    const change = changeBy(message);
    if (change !== null) this.change(message.target, change);
    else this.append(...this.#lines(message, this.#messageAt(this.lastElementChild)));
  }

  /**
   * Show messages, the oldest first, before all others.
   *
   * @param {Message[]} entries
   */
  addOlder(entries) {
    this.#firstOffset = entries[0]?.offset ?? this.#firstOffset;
    this.#lastOffset ??= entries.at(-1)?.offset ?? null;
    const messages = entries.filter((entry) => changeBy(entry) === null); // what they change came as it is now
    const newest = messages.at(-1);
    if (!newest) return;
    this.#keepQuiet();
    const lines = messages.flatMap((message, index) => this.#lines(message, messages[index - 1]));
    this.querySelector(":scope > .new-line")?.remove();
    this.#join(newest);
    this.prepend(...lines);
    this.#placeNew();
  }

  /**
   * Tell apart what is new to the reader: a line "New" stands before the first message of others after an offset, once
   * what is before that is shown. Returns the line, if it is there.
   *
   * @param {number} after
   * @returns {Element | null}
   */
  markNew(after) {
    this.#newAfter = after;
    return this.#placeNew();
  }

  #placeNew() {
    this.querySelector(":scope > .new-line")?.remove();
    const after = this.#newAfter;
    if (after === null || this.#firstOffset === null || this.#firstOffset > after + 1) return null;
    const first = Array.from(this.children).find((line) => {
      const message = this.#messageAt(line);
      return message?.kind === "message" && message.userId !== this.readerId && (message.offset ?? 0) > after;
    });
    if (!first) return null;
    const day = first.previousElementSibling;
    const made = newLine();
    (day?.matches(".day") && day !== this.firstElementChild ? day : first).before(made);
    first.classList.remove("continued");
    return made;
  }

  /**
   * Whether a message calls the reader, or everybody.
   *
   * @param {Message} message
   */
  calls({ mentions }) {
    return mentions.some((id) => id === this.readerId || id === "room");
  }

  /**
   * Show messages, the oldest first, after all others, as what was said long ago.
   *
   * @param {Message[]} entries
   */
  addLater(entries) {
    this.#keepQuiet();
    for (const entry of entries) if (changeBy(entry) === null) this.add(entry);
    this.#lastOffset = entries.at(-1)?.offset ?? this.#lastOffset;
  }

  /**
   * The line of the message at an offset, or else the one that is nearest to it.
   *
   * @param {number} offset
   * @returns {{ line: HTMLElement, exact: boolean } | null} null if there is none
   */
  find(offset) {
    let found = null;
    let least = Number.POSITIVE_INFINITY;
    for (const line of this.children) {
      const at = this.#messageAt(line)?.offset;
      if (at == null || !(line instanceof HTMLElement) || Math.abs(at - offset) >= least) continue;
      least = Math.abs(at - offset);
      found = line;
    }
    return found && { line: found, exact: least === 0 };
  }

  clear() {
    this.menu?.close();
    this.#newAfter = null;
    this.replaceChildren();
    this.#firstOffset = this.#lastOffset = null;
  }

  /** Let go of the oldest messages if there are too many. Returns whether there were. */
  trim() {
    const tooMany = this.childElementCount > LINES_MAX;
    if (!tooMany) return false;
    this.querySelector(":scope > .new-line")?.remove();
    while (this.childElementCount > LINES_MAX) {
      this.children[1]?.remove();
      const oldest = this.children[1];
      if (oldest?.matches(".day")) this.firstElementChild?.remove();
      else oldest?.classList.remove("continued");
    }
    const offsets = Array.from(this.children, (line) => this.#messageAt(line)?.offset ?? null);
    this.#firstOffset = offsets.find((offset) => offset !== null) ?? null;
    this.#placeNew();
    return true;
  }

  /**
   * The last message that the reader said, if that is shown and not deleted.
   *
   * @returns {Message | undefined}
   */
  get lastOwn() {
    return Array.from(this.children, (line) => this.#messageAt(line)).findLast(
      (message) =>
        message?.kind === "message" && message.userId === this.readerId && message.offset && !message.deleted,
    );
  }

  /**
   * Show the reactions to the message at an offset, if that is there. The rest of it stays as it is.
   *
   * @param {number | null} offset
   * @param {Reaction[]} [reactions] what they are now; without them, only the reader's own have changed
   */
  showReactions(offset, reactions) {
    const line = Array.from(this.children).findLast((line) => this.#messageAt(line)?.offset === offset);
    const message = this.#messageAt(line);
    if (!line || !message) return;
    const changed = reactions ? { ...message, reactions } : message;
    this.#messages.set(line, changed);
    this.#showReactions(line, changed);
  }

  /** Show every message anew: what the reader may do has changed. */
  refresh() {
    for (const line of [...this.children]) {
      const message = this.#messageAt(line);
      if (message) this.#replace(line, message);
    }
  }

  /**
   * Show the message at an offset otherwise, and what quotes it, if they are there. A deleted one stays as it is.
   *
   * @param {number | null} offset
   * @param {Partial<Message>} change
   */
  change(offset, change) {
    if (change.reactions) {
      this.showReactions(offset, change.reactions);
      return;
    }
    for (const line of [...this.children]) {
      const message = this.#messageAt(line);
      if (!message) continue;
      if (message.offset === offset && !message.deleted) this.#replace(line, { ...message, ...change });
      else if (message.replyTo !== null && message.replyTo.offset === offset) {
        this.#replace(line, { ...message, replyTo: changedQuote(message.replyTo, change) });
      }
    }
  }

  /**
   * Show a line's message anew. Screen readers would take the new line for an addition and read it out, also for each
   * quote of a message that is edited; so that line alone is quiet, and what is said meanwhile is read out.
   *
   * @param {Element} line
   * @param {Message} message
   */
  #replace(line, message) {
    if (this.menu?.belongsTo(line)) this.menu.close();
    const hadFocus = line.contains(document.activeElement);
    const other = this.#line(message);
    other.ariaLive = "off";
    other.classList.toggle("continued", line.classList.contains("continued"));
    line.replaceWith(other);
    if (!hadFocus) return;
    const next = other.querySelector(ACTIONS) ?? this.closest("[tabindex]");
    if (next instanceof HTMLElement) next.focus();
  }

  /**
   * Fit the first message to the one that is about to stand before it.
   *
   * @param {Message} before
   */
  #join(before) {
    const first = this.children[1];
    const message = this.#messageAt(first);
    if (!first || !message) return;
    first.classList.toggle("continued", continues(message, before));
    if (day(message) === day(before)) this.firstElementChild?.remove();
  }

  /** Screen readers read out what is added to a log. What is old is not news. */
  #keepQuiet() {
    this.ariaLive = "off";
    setTimeout(() => {
      this.ariaLive = "polite";
    }, QUIET);
  }

  /**
   * @param {Message} message
   * @param {Message} [before]
   */
  #lines(message, before) {
    const line = this.#line(message);
    line.classList.toggle("continued", continues(message, before));
    return before && day(before) === day(message) ? [line] : [dayLine(message), line];
  }

  /** @param {Message} message */
  #line(message) {
    const line = messageLine(message, {
      own: message.userId !== null && message.userId === this.readerId,
      readerId: this.readerId,
      called: this.calls(message),
      hasActions: this.menu?.has(message) ?? false,
      showOrigin: this.showOrigin,
    });
    this.#messages.set(line, message);
    this.#showReactions(line, message);
    return line;
  }

  /**
   * @param {Element} line
   * @param {Message} message
   */
  #showReactions(line, message) {
    if (message.kind !== "message" || message.deleted || !this.reactions) return;
    const lostFocus = showReactions(line, this.reactions.shown(message), this.readerId ?? "");
    const actions = line.querySelector(ACTIONS);
    if (lostFocus && actions instanceof HTMLElement) actions.focus();
  }

  /** @param {MouseEvent} event */
  #pressReaction({ target }) {
    const button = target instanceof Element ? target.closest(REACTIONS) : null;
    const message = this.#messageAt(button?.closest(".message"));
    if (!button || !message) return;
    const emoji = emojiOf(button);
    if (emoji === null) this.chooseReaction(message);
    else this.react(message, emoji);
  }

  /** @param {Element | null | undefined} line */
  #messageAt(line) {
    return line ? this.#messages.get(line) : undefined;
  }

  /**
   * The keys of the actions, on the message that has the focus.
   *
   * @param {KeyboardEvent} event
   */
  #pressKey(event) {
    if (!(event.target instanceof Element && event.target.matches(ACTIONS))) return;
    const message = this.#messageAt(event.target.closest(".message"));
    if (message && this.menu?.pressKey(event, message)) event.preventDefault();
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
    const message = this.#messageAt(line);
    if (!(button instanceof HTMLElement) || !message) return;
    const onText = event.target.closest(".bubble") && !event.target.closest("a, button");
    const byFinger = event instanceof PointerEvent && event.pointerType === "touch" && getSelection()?.isCollapsed;
    if (!button.contains(event.target) && !(onText && byFinger)) return;
    button.focus({ preventScroll: true }); // which Safari doesn't do by itself
    this.menu?.toggle(button, message);
  }
}

/**
 * @param {Message} message
 * @param {Message} [before]
 */
function continues(message, before) {
  return (
    before?.kind === "message" &&
    message.kind === "message" &&
    before.userId === message.userId &&
    before.userName === message.userName &&
    day(before) === day(message) &&
    message.sentAt.getTime() - before.sentAt.getTime() < TURN_BREAK
  );
}

/** @param {Message} message */
function day(message) {
  return message.sentAt.toDateString();
}
