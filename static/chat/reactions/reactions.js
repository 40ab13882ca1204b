// @ts-check

import { inFull } from "./emoji.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */
/** @import { Message } from "../log/message.js" */

/**
 * One emoji at a message, as the server tells of it.
 *
 * @typedef {object} Reaction
 * @property {string} emoji
 * @property {number} count
 * @property {string[]} people the ids of the first twenty of them
 * @property {string[]} names theirs
 * @property {boolean} [own] whether the reader is one of them, where the server said so: to this reader alone
 *
 * @typedef {Reaction & { own: boolean }} ShownReaction as the reader sees it; `own` is whether they react with it
 */

/**
 * A reaction that the reader wants, and that isn't stored yet.
 *
 * @typedef {object} Wish
 * @property {number} offset of the message
 * @property {string} emoji
 * @property {boolean} on
 * @property {string} request
 */

/**
 * The reader's own reactions. They are shown at once, and as the server has them as soon as it has answered. Those
 * that aren't answered when a connection is lost are sent again over the next: saying it twice is saying it once.
 */
export class Reactions {
  /** The reader's name, as others see it. */
  #reader;
  #send;
  /** Called with the offset of a message whose reactions are to be shown anew. */
  changed = (/** @type {number} */ _offset) => {};
  /**
   * The wish that was sent last for each offset and emoji, until it is answered.
   *
   * @type {Map<string, Wish>}
   */
  #wishes = new Map();
  /**
   * Whether the reader reacts with an emoji, as far as this page has set it: past the first people, frames that all
   * get don't say.
   *
   * @type {Map<string, boolean>}
   */
  #set = new Map();
  #requests = 0;

  /**
   * @param {() => { id: string, name: string }} reader
   * @param {(frame: Frame) => boolean} send
   */
  constructor(reader, send) {
    this.#reader = reader;
    this.#send = send;
  }

  /**
   * The reactions to a message, with those of the reader that are on their way.
   *
   * @param {Message} message
   * @returns {ShownReaction[]}
   */
  shown({ offset, reactions }) {
    const { id, name } = this.#reader();
    const shown = reactions.map((reaction) => ({ ...reaction, own: this.#isOwn(offset, reaction) }));
    for (const wish of this.#wishes.values()) {
      if (wish.offset !== offset) continue;
      const reaction = shown.find(({ emoji }) => emoji === wish.emoji);
      if (!reaction && wish.on) shown.push({ emoji: wish.emoji, count: 1, people: [id], names: [name], own: true });
      if (!reaction || reaction.own === wish.on) continue;
      reaction.own = wish.on;
      reaction.count += wish.on ? 1 : -1;
    }
    return shown.filter(({ count }) => count > 0);
  }

  /**
   * React to a message with an emoji, or no longer if the reader does already.
   *
   * @param {Message} message
   * @param {string} given
   */
  toggle(message, given) {
    if (message.offset === null) return;
    const emoji = inFull(given);
    const on = !this.shown(message).some((reaction) => reaction.own && reaction.emoji === emoji);
    const request = `reaction ${++this.#requests}`;
    const wish = { offset: message.offset, emoji, on, request };
    this.#wishes.set(key(wish.offset, emoji), wish);
    this.#ask(wish);
    this.changed(wish.offset);
  }

  /** There is another connection: over the last one nothing more is answered. */
  resume() {
    for (const wish of this.#wishes.values()) this.#ask(wish);
  }

  /**
   * A reaction is stored.
   *
   * @param {Frame} frame
   */
  settle({ request }) {
    const wish = this.#take(request);
    if (!wish) return;
    this.#set.set(key(wish.offset, wish.emoji), wish.on);
    this.changed(wish.offset);
  }

  /**
   * A reaction has failed, so it is shown no longer.
   *
   * @param {ServerError} error
   * @returns {boolean} whether it is about the last one that the reader wanted
   */
  fail({ request }) {
    const wish = this.#take(request);
    if (wish) this.changed(wish.offset);
    return wish !== undefined;
  }

  /** @param {Wish} wish */
  #ask({ offset, emoji, on, request }) {
    this.#send({ react: offset, emoji, on, request });
  }

  /** @param {string | null} request */
  #take(request) {
    for (const [at, wish] of this.#wishes) {
      if (wish.request !== request) continue;
      this.#wishes.delete(at);
      return wish;
    }
    return undefined;
  }

  /**
   * @param {number | null} offset
   * @param {Reaction} reaction
   */
  #isOwn(offset, { emoji, count, people, own = false }) {
    if (people.includes(this.#reader().id)) return true;
    if (count <= people.length || offset === null) return false;
    return this.#set.get(key(offset, emoji)) ?? own;
  }
}

/**
 * @param {number} offset
 * @param {string} emoji
 */
function key(offset, emoji) {
  return `${offset} ${emoji}`;
}

/**
 * Reads what a frame says of reactions.
 *
 * @param {unknown} given
 * @returns {Reaction[]}
 */
export function readReactions(given) {
  if (!Array.isArray(given)) return [];
  return given.map(({ emoji, count, people, names, own }) => ({
    emoji: String(emoji),
    count: Number(count),
    people: people ?? [],
    names: names ?? [],
    own,
  }));
}

/**
 * The reactions that there are now. They are told to all readers alike, so which of them are the reader's own is known
 * from before.
 *
 * @param {Reaction[]} now
 * @param {Reaction[]} before
 * @returns {Reaction[]}
 */
export function keepOwn(now, before) {
  return now.map((reaction) => ({
    ...reaction,
    own: reaction.own ?? before.find(({ emoji }) => emoji === reaction.emoji)?.own,
  }));
}
