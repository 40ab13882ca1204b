// @ts-check

import { gettext } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */

const ANSWER_TIMEOUT = 20_000; // milliseconds
const NEWEST = Number.MAX_SAFE_INTEGER;

/**
 * A part of the history: what the answers to two questions have.
 *
 * @typedef {object} Part
 * @property {number | null} at the offset that was asked for, null for the newest
 * @property {Frame[]} messages
 * @property {boolean} earlier whether there is more before it
 * @property {boolean} later whether there is more after it
 */

/** Asks for another part of the history than the one that is shown. Only the last part that was asked for is shown. */
export class Jump {
  #ask;
  #show;
  #fail;
  /**
   * The offset that is being asked for, null for the newest; `undefined` if none is.
   *
   * @type {number | null | undefined}
   */
  #at;
  #questions = 0;
  /**
   * The answers by the ids of their questions, which are null until they come: what is earlier, and what is later.
   *
   * @type {Map<string, Frame | null>}
   */
  #answers = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {(question: Frame) => boolean} ask
   * @param {(part: Part) => void} show
   * @param {(fault: string) => void} fail is given the reason, in words
   */
  constructor(ask, show, fail) {
    this.#ask = ask;
    this.#show = show;
    this.#fail = fail;
  }

  /**
   * Ask for what is around an offset, or for the newest.
   *
   * @param {number | null} at
   */
  to(at) {
    this.#at = at;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#giveUp(gettext("The server doesn’t answer.")), ANSWER_TIMEOUT);
    this.resume();
  }

  /** The connection is another, or gone: nothing that was asked over the last one will be answered. */
  resume() {
    this.#answers.clear();
    if (this.#at === undefined) return;
    const questions = this.#at === null ? [{ before: NEWEST }] : [{ before: this.#at + 1 }, { after: this.#at }];
    for (const question of questions) {
      const request = `jump ${++this.#questions}`;
      this.#answers.set(request, null);
      this.#ask({ ...question, request });
    }
  }

  /**
   * An answer has come. Returns whether it is one of these.
   *
   * @param {Frame} frame
   */
  answer(frame) {
    if (!this.#answers.has(frame.request)) return false;
    this.#answers.set(frame.request, frame);
    const [earlier, later] = this.#answers.values();
    if (!earlier || later === null || this.#at === undefined) return true;
    const part = {
      at: this.#at,
      messages: [...earlier.messages, ...(later?.messages ?? [])],
      earlier: earlier.more,
      later: later?.more ?? false,
    };
    this.cancel();
    this.#show(part);
    return true;
  }

  /**
   * A question has failed. Returns whether it is one of these.
   *
   * @param {string | null} request its id
   * @param {string} fault why, in words
   */
  fail(request, fault) {
    if (request === null || !this.#answers.has(request)) return false;
    this.#giveUp(fault);
    return true;
  }

  /** The answer to the last question isn't wanted any more. */
  cancel() {
    this.#at = undefined;
    this.#answers.clear();
    clearTimeout(this.#timer);
  }

  /** @param {string} fault */
  #giveUp(fault) {
    this.cancel();
    this.#fail(fault);
  }
}
