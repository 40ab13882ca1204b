// @ts-check

import { find } from "../elements.js";
import { gettext } from "../translation.js";
import { unreadWords } from "./own-rooms.js";

/** @import { OwnRooms } from "./own-rooms.js" */

/** Shows the list of rooms in a dialog where there is no place for it beside the conversation. */
export class RoomsDrawer {
  #drawer;
  #list;
  #place;
  #button;

  /**
   * @param {HTMLDialogElement} drawer
   * @param {HTMLButtonElement} button opens it, and says how much is unread
   * @param {OwnRooms} list
   */
  constructor(drawer, button, list) {
    this.#drawer = drawer;
    this.#list = list;
    this.#button = button;
    this.#place = /** @type {Element} */ (list.parentElement);
    button.hidden = false;
    button.addEventListener("click", () => this.open());
    list.addEventListener("unread", () => this.#count());
    drawer.addEventListener("close", () => this.#place.append(list));
    drawer.addEventListener("click", ({ target }) => {
      if (target === drawer) drawer.close(); // beside it
    });
    // Turned to its side, a phone may have place for the list.
    matchMedia("(max-width: 48rem)").addEventListener("change", () => drawer.close());
    this.#count();
  }

  open() {
    this.#drawer.append(this.#list);
    this.#drawer.showModal();
    const here = this.#list.querySelector("[aria-current]");
    if (here instanceof HTMLElement) here.focus();
  }

  #count() {
    const { unread } = this.#list;
    const words = gettext("unread");
    find(this.#button, ".unread-count", HTMLElement).textContent = unreadWords(unread);
    find(this.#button, ".unread-words", HTMLElement).textContent = unread ? ` ${words}` : "";
  }
}
