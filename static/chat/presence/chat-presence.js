// @ts-check

import { element, find } from "../elements.js";
import { avatar, tone } from "../log/avatar.js";
import { personElement } from "../profile.js";
import { fill, gettext, ngettext } from "../translation.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { Person } from "../connection/identity.js" */

/**
 * How many people are in the room, and on a press who they are.
 *
 * Nothing of it is announced: people come and go all the time. Holds a `details`, in whose panel are a list, a
 * paragraph of class "more" for those who aren't listed, and one of class "incomplete", for when the server can't know
 * all.
 */
export class ChatPresence extends HTMLElement {
  /** The id of the person whose page this is. */
  readerId = "";

  /** @type {{ count: number, people: Person[], complete: boolean }} */
  #state = { count: 0, people: [], complete: true };

  connectedCallback() {
    this.#details.addEventListener("toggle", () => this.#list());
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.#details.open) return;
      this.#details.open = false;
      find(this, "summary", HTMLElement).focus();
    });
    document.addEventListener("pointerdown", ({ target }) => {
      if (target instanceof Node && !this.contains(target)) this.#details.open = false;
    });
  }

  /** @param {Frame} frame of kind "presence" */
  show(frame) {
    this.#state = { count: Number(frame.count), people: frame.people ?? [], complete: frame.complete !== false };
    find(this, "summary", HTMLElement).textContent = countWords(this.#state.count);
    this.hidden = false;
    this.#list();
  }

  /** The page is not told any more who is here. */
  clear() {
    this.hidden = true;
    this.#details.open = false;
  }

  get #details() {
    return find(this, "details", HTMLDetailsElement);
  }

  #list() {
    if (!this.#details.open) return; // nobody sees it
    const { count, people, complete } = this.#state;
    find(this, "ul", HTMLElement).replaceChildren(...people.map((person) => this.#item(person)));
    const more = find(this, ".more", HTMLElement);
    more.textContent = moreWords(count - people.length);
    more.hidden = count <= people.length;
    find(this, ".incomplete", HTMLElement).hidden = complete;
  }

  /** @param {Person} person */
  #item({ id, name }) {
    const item = element("li", "");
    item.dataset.tone = tone(id);
    const label = element("bdi", "");
    label.append(personElement(id, "", name));
    item.append(avatar(name, id), label);
    if (id === this.readerId) item.append(element("span", "muted", gettext("(you)")));
    return item;
  }
}

/** @param {number} count of people */
function countWords(count) {
  return fill(ngettext("%(count)s here", "%(count)s here", count), { count });
}

/** @param {number} count of people who aren't listed */
function moreWords(count) {
  return fill(ngettext("and %(count)s more", "and %(count)s more", count), { count });
}
