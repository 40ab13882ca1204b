// @ts-check

import { element } from "../elements.js";
import { fillWithElements, gettext } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { Person } from "../connection/identity.js" */

const LASTS = 8_000; // milliseconds; the server says sooner that somebody has stopped, unless it can't be heard

/**
 * The people who are typing, other than the reader, in a line that is always there: nothing moves when somebody begins.
 *
 * It is no live region. A screen reader would speak each time that anybody begins to write, over the messages.
 */
export class ChatTyping extends HTMLElement {
  /** The id of the person whose page this is. */
  readerId = "";
  /** Whether the reader ignores a person, of whom they aren't told. */
  ignores = (/** @type {string | null} */ _personId) => false;

  /** @type {Person[]} */
  #people = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {Frame} frame of kind "typing" */
  show(frame) {
    const others = (frame.people ?? []).filter((/** @type {Person} */ { id }) => id !== this.readerId);
    this.#set(others.filter((/** @type {Person} */ { id }) => !this.ignores(id)));
  }

  /**
   * Somebody has said what they were typing.
   *
   * @param {string | null} id
   */
  settle(id) {
    if (this.#people.some((person) => person.id === id)) this.#set(this.#people.filter((person) => person.id !== id));
  }

  clear() {
    this.#set([]);
  }

  /** @param {Person[]} people */
  #set(people) {
    clearTimeout(this.#timer);
    if (people.length > 0) this.#timer = setTimeout(() => this.clear(), LASTS);
    this.#people = people;
    this.replaceChildren(...this.#sentence());
  }

  #sentence() {
    const [one, two] = this.#people;
    if (one === undefined) return [];
    if (two === undefined) return fillWithElements(gettext("%(name)s is typing…"), { name: nameOf(one) });
    if (this.#people.length > 2) return [gettext("Several people are typing…")];
    return fillWithElements(gettext("%(one)s and %(other)s are typing…"), { one: nameOf(one), other: nameOf(two) });
  }
}

/** @param {Person} person */
function nameOf({ name }) {
  return element("bdi", "", name);
}
