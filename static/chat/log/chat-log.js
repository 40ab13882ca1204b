// @ts-check

import { FILE } from "../files/attachment-list.js";
import { REACTIONS } from "../reactions/reaction-bar.js";
import { keepOwn } from "../reactions/reactions.js";
import { REMOVE } from "./link-previews.js";
import { changeBy } from "./message.js";
import { ACTIONS, dayLine, SHOW } from "./message-line.js";
import { MessageLines } from "./message-lines.js";
import { NewLine } from "./new-line.js";
import { Quiet } from "./quiet.js";
import { changedQuote } from "./quote.js";
import { roveFocus } from "./roving-focus.js";
import { continues, onSameDay } from "./turns.js";

/** @import { Reaction } from "../reactions/reactions.js" */
/** @import { LinkPreview } from "./link-previews.js" */
/** @import { Message } from "./message.js" */

const LINES_MAX = 2_000;

/**
 * The messages of a room, oldest first. Takes messages as message.js reads them.
 *
 * The children are flat: a `.day` before the first message of each day, one `.message` or `.notice-line` per message,
 * and perhaps one `.new-line`. The first child is always a `.day`. A message that carries on its sender's turn is
 * `.continued`. An entry that changes a message has no line; the message that it names is shown as it is then.
 *
 * Until this is defined, the children are those that the server rendered.
 */
export class ChatLog extends HTMLElement {
  lines = new MessageLines();
  newLine = new NewLine(this);
  #quiet = new Quiet(this);

  /** @type {number | null} */
  #firstOffset = null;
  /** @type {number | null} */
  #lastOffset = null;

  connectedCallback() {
    this.replaceChildren();
    roveFocus(this, `:is(${ACTIONS}, ${SHOW})`, `${REACTIONS}, ${FILE}, ${REMOVE}`);
  }

  /**
   * The transcript as plain text: what people wrote, each followed by a newline, without names and times. Files without
   * a text are there by their names.
   */
  get value() {
    const shown = Array.from(this.children).filter((line) => line.querySelector(".text, .files"));
    return shown.map((line) => `${this.lines.messageOf(line)?.text}\n`).join("");
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
    else this.append(...this.#lines(message, this.lines.messageOf(this.lastElementChild)));
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
    this.#quiet.keep();
    const lines = messages.flatMap((message, index) => this.#lines(message, messages[index - 1]));
    this.newLine.remove();
    this.#join(newest);
    this.prepend(...lines);
    this.newLine.place();
  }

  /**
   * Show messages, the oldest first, after all others, as what was said long ago.
   *
   * @param {Message[]} entries
   */
  addLater(entries) {
    this.#quiet.keep();
    for (const entry of entries) if (changeBy(entry) === null) this.add(entry);
    this.#lastOffset = entries.at(-1)?.offset ?? this.#lastOffset;
    this.newLine.place();
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
      const at = this.lines.messageOf(line)?.offset;
      if (at == null || !(line instanceof HTMLElement) || Math.abs(at - offset) >= least) continue;
      least = Math.abs(at - offset);
      found = line;
    }
    return found && { line: found, exact: least === 0 };
  }

  clear() {
    this.lines.menu?.close();
    this.newLine.clear();
    this.replaceChildren();
    this.#firstOffset = this.#lastOffset = null;
  }

  /** Let go of the oldest messages if there are too many. Returns whether there were. */
  trim() {
    const tooMany = this.childElementCount > LINES_MAX;
    if (!tooMany) return false;
    this.newLine.remove();
    while (this.childElementCount > LINES_MAX) {
      this.children[1]?.remove();
      const oldest = this.children[1];
      if (oldest?.matches(".day")) this.firstElementChild?.remove();
      else oldest?.classList.remove("continued");
    }
    const offsets = Array.from(this.children, (line) => this.lines.messageOf(line)?.offset ?? null);
    this.#firstOffset = offsets.find((offset) => offset !== null) ?? null;
    this.newLine.place();
    return true;
  }

  /**
   * The last message that the reader said, if that is shown and not deleted.
   *
   * @returns {Message | undefined}
   */
  get lastOwn() {
    return Array.from(this.children, (line) => this.lines.messageOf(line)).findLast(
      (message) =>
        message?.kind === "message" && message.userId === this.lines.readerId && message.offset && !message.deleted,
    );
  }

  /**
   * Show the reactions to the message at an offset, if that is there. The rest of it stays as it is.
   *
   * @param {number | null} offset
   * @param {Reaction[]} [reactions] what they are now; without them, only the reader's own have changed
   */
  showReactions(offset, reactions) {
    const line = Array.from(this.children).findLast((line) => this.lines.messageOf(line)?.offset === offset);
    const message = this.lines.messageOf(line);
    if (!line || !message) return;
    const changed = reactions ? { ...message, reactions: keepOwn(reactions, message.reactions) } : message;
    this.lines.showReactions(line, changed);
  }

  /**
   * @param {number | null} offset
   * @param {LinkPreview[]} links
   */
  #showLinks(offset, links) {
    const line = Array.from(this.children).findLast((line) => this.lines.messageOf(line)?.offset === offset);
    const message = this.lines.messageOf(line);
    if (line && message) this.lines.showLinks(line, { ...message, links });
  }

  /** Show every message anew: what the reader may do has changed. */
  refresh() {
    for (const line of [...this.children]) {
      const message = this.lines.messageOf(line);
      if (message) this.lines.replace(line, message);
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
    if (change.links && change.text === undefined) {
      this.#showLinks(offset, change.links);
      return;
    }
    for (const line of [...this.children]) {
      const message = this.lines.messageOf(line);
      if (!message) continue;
      if (message.offset === offset && !message.deleted) this.lines.replace(line, { ...message, ...change });
      else if (message.replyTo !== null && message.replyTo.offset === offset) {
        this.lines.replace(line, { ...message, replyTo: changedQuote(message.replyTo, change) });
      }
    }
  }

  /**
   * Fit the first message to the one that is about to stand before it.
   *
   * @param {Message} before
   */
  #join(before) {
    const first = this.children[1];
    const message = this.lines.messageOf(first);
    if (!first || !message) return;
    first.classList.toggle("continued", continues(message, before));
    if (onSameDay(message, before)) this.firstElementChild?.remove();
  }

  /**
   * @param {Message} message
   * @param {Message} [before]
   */
  #lines(message, before) {
    const line = this.lines.make(message, before);
    return before && onSameDay(before, message) ? [line] : [dayLine(message), line];
  }
}
