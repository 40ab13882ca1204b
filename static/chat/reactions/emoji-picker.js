// @ts-check

import { element, find } from "../elements.js";
import { fill, gettext, ngettext } from "../translation.js";
import { isFound, loadEmoji } from "./emoji-list.js";

/** @import { Emoji } from "./emoji-list.js" */

const GROUPS = [
  gettext("Faces and feelings"),
  gettext("People and gestures"),
  gettext("Parts of emoji"),
  gettext("Animals and nature"),
  gettext("Food and drink"),
  gettext("Travel and places"),
  gettext("Activities"),
  gettext("Objects"),
  gettext("Symbols"),
  gettext("Flags"),
];
const PARTS = 2; // the group of skin tones and hair, which are for other emoji
const TONE_KEY = "skin tone of emoji";

/** The dialog in which the reader chooses one of all emoji. The list is loaded when it is first opened. */
export class EmojiPicker {
  #dialog;
  /** @type {Map<Element, Emoji>} by button */
  #emoji = new Map();
  /** @type {((emoji: string) => void) | null} */
  #choose = null;
  #loading = false;

  /** @param {HTMLDialogElement} dialog has the URL of the list in `data-list` */
  constructor(dialog) {
    this.#dialog = dialog;
    this.#tone.value = localStorage.getItem(TONE_KEY) ?? "0";
    this.#tone.addEventListener("change", () => this.#takeTone());
    this.#search.addEventListener("input", () => this.#filter());
    dialog.addEventListener("keydown", (event) => this.#keyDown(event));
    dialog.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("button") : null;
      if (target === dialog || button?.matches(".picker-close")) dialog.close();
      else if (button) this.#take(button);
    });
  }

  /** @param {(emoji: string) => void} choose called with the emoji, if one is chosen */
  open(choose) {
    this.#choose = choose;
    this.#dialog.showModal();
    this.#search.value = "";
    this.#search.focus();
    this.#filter();
    if (this.#emoji.size === 0 && !this.#loading) this.#load();
  }

  async #load() {
    this.#loading = true;
    this.#status.textContent = gettext("Loading…");
    try {
      this.#show(await loadEmoji(this.#dialog.dataset.list ?? ""));
      this.#filter();
    } catch {
      this.#status.textContent = gettext("The list of emoji could not be loaded. Try again later.");
    }
    this.#loading = false;
  }

  /** @param {Emoji[]} list */
  #show(list) {
    const sections = GROUPS.map((name) => {
      const section = element("section", "picker-group");
      section.ariaLabel = name;
      section.append(element("h3", "", name), element("div", "picker-emoji"));
      return section;
    });
    for (const emoji of list) {
      const button = element("button", "emoji");
      button.type = "button";
      button.tabIndex = -1;
      button.ariaLabel = emoji.name;
      button.title = emoji.name;
      this.#emoji.set(button, emoji);
      if (emoji.group !== PARTS) sections[emoji.group]?.lastElementChild?.append(button);
    }
    this.#list.replaceChildren(...sections.filter((section) => section.querySelector("button")));
    this.#takeTone();
  }

  #takeTone() {
    localStorage.setItem(TONE_KEY, this.#tone.value);
    for (const [button, emoji] of this.#emoji) button.textContent = this.#inTone(emoji);
  }

  /** @param {Emoji} emoji */
  #inTone({ emoji, skins }) {
    return skins.get(Number(this.#tone.value)) ?? emoji;
  }

  /** Shows those that the reader searches for. */
  #filter() {
    if (this.#emoji.size === 0) return;
    const search = this.#search.value;
    for (const [button, emoji] of this.#emoji) /** @type {HTMLElement} */ (button).hidden = !isFound(emoji, search);
    for (const section of this.#list.children) {
      /** @type {HTMLElement} */ (section).hidden = !section.querySelector("button:not([hidden])");
    }
    const { length } = this.#buttons;
    this.#status.textContent = search.trim() === "" ? "" : foundWords(length);
    this.#list.scrollTop = 0;
    this.#stop(this.#buttons[0]);
  }

  /** @param {Element} button */
  #take(button) {
    const emoji = this.#emoji.get(button);
    if (!emoji) return;
    this.#dialog.close();
    this.#choose?.(this.#inTone(emoji));
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const buttons = this.#buttons;
    if (event.target === this.#search) {
      if (event.key === "Enter" && buttons[0]) this.#take(buttons[0]);
      if (event.key === "Enter") event.preventDefault();
      if (event.key === "ArrowDown") this.#move(event, buttons[0]);
      return;
    }
    const index = buttons.indexOf(/** @type {HTMLElement} */ (event.target));
    if (index < 0) return;
    const next = {
      ArrowRight: buttons[index + 1],
      ArrowLeft: buttons[index - 1],
      ArrowDown: inNextRow(buttons, index, 1),
      ArrowUp: inNextRow(buttons, index, -1) ?? this.#search,
      Home: buttons[0],
      End: buttons.at(-1),
    }[event.key];
    if (next) this.#move(event, next);
  }

  /**
   * @param {KeyboardEvent} event
   * @param {HTMLElement | undefined} to
   */
  #move(event, to) {
    event.preventDefault();
    if (to && to !== this.#search) this.#stop(to);
    to?.focus();
  }

  /**
   * Makes a button the one that the Tab key leads to.
   *
   * @param {HTMLElement | undefined} button
   */
  #stop(button) {
    for (const before of this.#list.querySelectorAll("button[tabindex='0']")) before.setAttribute("tabindex", "-1");
    if (button) button.tabIndex = 0;
  }

  /** The buttons that are shown. */
  get #buttons() {
    return /** @type {HTMLElement[]} */ ([...this.#list.querySelectorAll("button:not([hidden])")]);
  }

  get #search() {
    return find(this.#dialog, "[type=search]", HTMLInputElement);
  }

  get #tone() {
    return find(this.#dialog, "select", HTMLSelectElement);
  }

  get #status() {
    return find(this.#dialog, "[role=status]", HTMLElement);
  }

  get #list() {
    return find(this.#dialog, ".picker-list", HTMLElement);
  }
}

/** @param {number} count of emoji */
function foundWords(count) {
  if (count === 0) return gettext("No emoji found");
  return fill(ngettext("%(count)s emoji found", "%(count)s emoji found", count), { count });
}

/**
 * The button in the row above or below that stands nearest to the one at an index.
 *
 * @param {HTMLElement[]} buttons
 * @param {number} index
 * @param {1 | -1} step
 */
function inNextRow(buttons, index, step) {
  const from = buttons[index]?.getBoundingClientRect();
  /** @type {HTMLElement | undefined} */
  let nearest;
  let top = from?.top;
  let distance = Number.POSITIVE_INFINITY;
  for (let at = index + step; from && buttons[at]; at += step) {
    const button = /** @type {HTMLElement} */ (buttons[at]);
    const place = button.getBoundingClientRect();
    if (place.top === from.top) continue;
    if (top !== from.top && place.top !== top) break; // a row further
    top = place.top;
    if (Math.abs(place.left - from.left) < distance) nearest = button;
    distance = Math.min(distance, Math.abs(place.left - from.left));
  }
  return nearest;
}
