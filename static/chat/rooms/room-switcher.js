// @ts-check

import { dialogIsOpen, element, find } from "../elements.js";
import { fill, fillWithElements, gettext, ngettext } from "../translation.js";
import { directory, Latest } from "./directory-page.js";

/** @import { OwnRooms } from "./own-rooms.js" */

const DELAY = 200; // milliseconds without a key until public rooms are searched
const SHOWN_MAX = 20; // rooms

/**
 * @typedef {object} Choice
 * @property {string} name
 * @property {string} url
 * @property {string} [words] shown around the name
 * @property {boolean} [isDirect] whether it is a direct room, which isn't entered by the name that is shown
 */

/**
 * A dialog to go to another room by a part of its name: one's own rooms first, then public ones, then the room that has
 * just that name. By Ctrl+K or Cmd+K, or a button.
 *
 * It is a combobox: the focus stays in the field, and the arrow keys move through the list.
 */
export class RoomSwitcher {
  #dialog;
  #rooms;
  #input;
  #options;
  #searches = new Latest(DELAY);
  /** @type {Choice[]} */
  #found = [];
  #active = 0;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLButtonElement} button
   * @param {OwnRooms} rooms
   */
  constructor(dialog, button, rooms) {
    this.#dialog = dialog;
    this.#rooms = rooms;
    this.#input = find(dialog, "input", HTMLInputElement);
    this.#options = find(dialog, "[role=listbox]", HTMLElement);
    button.addEventListener("click", () => this.open());
    document.addEventListener("keydown", (event) => {
      const { key, ctrlKey, metaKey, shiftKey, altKey } = event;
      if (key.toLowerCase() !== "k" || !(ctrlKey || metaKey) || shiftKey || altKey) return;
      event.preventDefault();
      if (!dialogIsOpen()) this.open();
    });
    this.#input.addEventListener("input", () => this.#typed());
    this.#input.addEventListener("keydown", (event) => this.#keyDown(event));
    this.#options.addEventListener("click", ({ target }) => {
      const option = target instanceof Element ? target.closest("[role=option]") : null;
      if (option) this.#go([...this.#options.children].indexOf(option));
    });
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog) dialog.close(); // beside it
    });
  }

  open() {
    if (this.#dialog.open) return;
    this.#input.value = "";
    this.#typed();
    this.#dialog.showModal();
    this.#input.focus();
  }

  #typed() {
    this.#found = [];
    this.#show();
    const typed = this.#input.value.trim();
    if (typed !== "") this.#searches.do((signal) => this.#search(typed, signal));
  }

  /**
   * @param {string} typed
   * @param {AbortSignal} signal
   */
  async #search(typed, signal) {
    const found = await directory(this.#dialog.dataset.index ?? "", typed, signal);
    if (found === null || signal.aborted) return;
    this.#found = Array.from(found.querySelectorAll("a"), (link) => ({
      name: link.textContent?.trim() ?? "",
      url: new URL(link.getAttribute("href") ?? "", location.href).href,
    }));
    this.#show();
  }

  /** @returns {Choice[]} */
  get #choices() {
    const typed = this.#input.value.trim();
    const part = folded(typed);
    const own = this.#rooms.rooms.filter(({ name }) => folded(name).includes(part));
    const names = new Set(own.filter(({ isDirect }) => !isDirect).map(({ name }) => name));
    /** @type {Choice[]} */
    const choices = [...own, ...this.#found.filter(({ name }) => !names.has(name))].slice(0, SHOWN_MAX);
    const exact = typed.normalize("NFC");
    if (exact === "" || choices.some(({ name, isDirect }) => !isDirect && name === exact)) return choices;
    const url = new URL(`${encodeURIComponent(exact)}/`, new URL(this.#dialog.dataset.index ?? "", location.href)).href;
    return [...choices, { name: exact, url, words: gettext("Enter %(name)s") }];
  }

  #show() {
    const options = this.#choices.map(({ name, url, words }, index) => {
      const option = element("li", "switcher-option");
      option.role = "option";
      option.id = `room-switcher-option-${index}`;
      option.dataset.url = url;
      option.append(...fillWithElements(words ?? "%(name)s", { name: element("bdi", "", name) }));
      return option;
    });
    this.#options.replaceChildren(...options);
    this.#options.hidden = options.length === 0;
    this.#input.ariaExpanded = String(options.length > 0);
    const count = fill(ngettext("%(count)s room", "%(count)s rooms", options.length), { count: options.length });
    find(this.#dialog, "[role=status]", HTMLElement).textContent = count;
    this.#activate(0);
  }

  /** @param {number} index */
  #activate(index) {
    const options = [...this.#options.children];
    this.#active = options.length === 0 ? 0 : (index + options.length) % options.length;
    for (const [place, option] of options.entries()) option.ariaSelected = String(place === this.#active);
    const active = options[this.#active];
    if (active) this.#input.setAttribute("aria-activedescendant", active.id);
    else this.#input.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    if (event.isComposing) return;
    const next = { ArrowDown: this.#active + 1, ArrowUp: this.#active - 1 }[event.key];
    if (next !== undefined) this.#activate(next);
    else if (event.key === "Enter") this.#go(this.#active);
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  #go(index) {
    const option = this.#options.children[index];
    if (option instanceof HTMLElement && option.dataset.url) location.assign(option.dataset.url);
  }
}

/**
 * A name, or a part of one, without a difference between cases.
 *
 * @param {string} text
 */
function folded(text) {
  return text.normalize("NFKC").toLowerCase();
}
