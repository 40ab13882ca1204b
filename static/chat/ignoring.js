// @ts-check

import { NOT_CONNECTED } from "./connection/errors.js";

/** @import { Frame } from "./connection/connection.js" */
/** @import { ServerError } from "./connection/errors.js" */
/** @import { Person } from "./connection/identity.js" */
/** @import { Notice } from "./log/notice.js" */

const REQUEST = "ignore"; // the id of that question

/** The people whom the reader ignores, the same on all pages and devices of theirs. */
export class Ignoring {
  /** Others are ignored than before. */
  changed = () => {};

  /** @type {Set<string>} */
  #ids = new Set();
  #send;
  #notice;

  /**
   * @param {Person[]} people
   * @param {(frame: Frame) => boolean} send returns whether the frame went out
   * @param {Notice} notice
   */
  constructor(people, send, notice) {
    this.#ids = new Set(people.map(({ id }) => id));
    this.#send = send;
    this.#notice = notice;
  }

  /** @param {string | null} personId */
  has(personId) {
    return personId !== null && this.#ids.has(personId);
  }

  /**
   * @param {string} personId
   * @param {boolean} on
   */
  set(personId, on) {
    const sent = this.#send({ ignore: personId, on, request: REQUEST });
    if (!sent) this.#notice.say(NOT_CONNECTED);
  }

  /** @param {Person[] | undefined} people all whom the reader ignores now, if the server has told */
  take(people) {
    if (people === undefined) return;
    const ids = new Set(people.map(({ id }) => id));
    const same = ids.size === this.#ids.size && [...ids].every((id) => this.#ids.has(id));
    if (same) return;
    this.#ids = ids;
    this.changed();
  }

  /**
   * A question has failed. Returns whether it is this one.
   *
   * @param {ServerError} error
   */
  fail({ request, text }) {
    if (request !== REQUEST) return false;
    this.#notice.say(text);
    return true;
  }
}
