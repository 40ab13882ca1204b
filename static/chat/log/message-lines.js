// @ts-check

import { showReactions } from "../reactions/reaction-bar.js";
import { showLinks } from "./link-previews.js";
import { calls } from "./message.js";
import { ACTIONS, messageLine } from "./message-line.js";
import { continues } from "./turns.js";

/** @import { Reactions } from "../reactions/reactions.js" */
/** @import { Message } from "./message.js" */
/** @import { MessageMenu } from "./message-menu.js" */

/** The lines of a log: makes them as the reader is to see them, and knows which message each shows. */
export class MessageLines {
  /**
   * The id of the person reading, whose own messages are told apart.
   *
   * @type {string | null}
   */
  readerId = null;
  /** Whether the process and thread a message came from are shown as text. */
  showOrigin = false;
  /**
   * The menu of things to do with a message.
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

  /** Whether the reader may remove previews of links from a message. */
  mayRemoveLinks = (/** @type {Message} */ _message) => false;
  /** Whether the reader ignores a person, whose messages are folded. */
  ignores = (/** @type {string | null} */ _personId) => false;

  /** @type {Set<number>} the offsets of messages that are shown although the reader ignores their author */
  #unfolded = new Set();
  /** @type {WeakMap<Element, Message>} by line */
  #messages = new WeakMap();

  /**
   * The message that a line shows.
   *
   * @param {Element | null | undefined} line
   */
  messageOf(line) {
    return line ? this.#messages.get(line) : undefined;
  }

  /**
   * A new line.
   *
   * @param {Message} message
   * @param {Message} [before] the message before it
   */
  make(message, before) {
    const folded = this.#folds(message);
    const line = messageLine(message, {
      own: message.userId !== null && message.userId === this.readerId,
      readerId: this.readerId,
      called: calls(message, this.readerId),
      hasActions: !folded && (this.menu?.has(message) ?? false),
      folded,
      removesLinks: this.mayRemoveLinks(message),
      showOrigin: this.showOrigin,
    });
    line.classList.toggle("continued", continues(message, before));
    this.showReactions(line, message);
    return line;
  }

  /**
   * Show a message whose author the reader ignores.
   *
   * @param {Element} line
   */
  unfold(line) {
    const message = this.messageOf(line);
    if (!message) return;
    if (message.offset !== null) this.#unfolded.add(message.offset);
    this.replace(line, message);
  }

  /** @param {Message} message */
  #folds({ kind, offset, userId }) {
    return kind === "message" && offset !== null && this.ignores(userId) && !this.#unfolded.has(offset);
  }

  /**
   * Show a message in the place of a line. Screen readers would take the new line for an addition and read it out, also
   * for each quote of a message that is edited; so that line alone is quiet, and what is said meanwhile is read out.
   *
   * @param {Element} line
   * @param {Message} message
   */
  replace(line, message) {
    if (this.menu?.belongsTo(line)) this.menu.close();
    const hadFocus = line.contains(document.activeElement);
    const other = this.make(message);
    other.ariaLive = "off";
    other.classList.toggle("continued", line.classList.contains("continued"));
    line.replaceWith(other);
    if (!hadFocus) return;
    const next = other.querySelector(ACTIONS) ?? other.closest("[tabindex]");
    if (next instanceof HTMLElement) next.focus();
  }

  /**
   * Show the pages that a message links to in its line. The rest of the line stays as it is.
   *
   * @param {Element} line
   * @param {Message} message as it is now
   */
  showLinks(line, message) {
    this.#messages.set(line, message);
    if (message.kind !== "message" || message.deleted) return;
    const lostFocus = showLinks(line, message.links, this.mayRemoveLinks(message));
    const actions = line.querySelector(ACTIONS);
    if (lostFocus && actions instanceof HTMLElement) actions.focus();
  }

  /**
   * Show the reactions to a message in its line. The rest of the line stays as it is.
   *
   * @param {Element} line
   * @param {Message} message as it is now
   */
  showReactions(line, message) {
    this.#messages.set(line, message);
    if (message.kind !== "message" || message.deleted || !this.reactions || this.#folds(message)) return;
    const lostFocus = showReactions(line, this.reactions.shown(message), this.readerId ?? "");
    const actions = line.querySelector(ACTIONS);
    if (lostFocus && actions instanceof HTMLElement) actions.focus();
  }
}
