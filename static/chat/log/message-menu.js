// @ts-check

import { element } from "../elements.js";

/** @import { Message } from "./message.js" */

/**
 * Something that can be done with a message, or with whatever else has a menu.
 *
 * @template [T=Message]
 * @typedef {object} Action
 * @property {string} label
 * @property {string} [key] what does it while the message has the focus, besides the menu
 * @property {string} [question] what a second press has to confirm
 * @property {(message: T) => boolean} allows whether the reader may do it with this message
 * @property {(message: T) => void} act
 */

const GAP = 4; // px between the button and its menu

/**
 * The menu of what can be done with a message: one for all of them, beside the button that has been pressed.
 *
 * @template [T=Message]
 */
export class MessageMenu {
  /** Makes what stands above the actions of a message, with buttons of the same kind in it. */
  lead = (/** @type {T} */ _message) => /** @type {HTMLElement | null} */ (null);

  #menu;
  #actions;
  /** @type {HTMLElement | null} the button that has been pressed, while the menu is open */
  #button = null;

  /**
   * @param {HTMLElement} menu stands within what it may cover
   * @param {Action<T>[]} actions in the order in which they are listed
   */
  constructor(menu, actions) {
    this.#menu = menu;
    this.#actions = actions;
    menu.addEventListener("keydown", (event) => this.#keyDown(event));
    menu.addEventListener("focusout", ({ relatedTarget }) => {
      const within = relatedTarget instanceof Node && (menu.contains(relatedTarget) || relatedTarget === this.#button);
      if (!within) this.close();
    });
  }

  /**
   * Whether there is anything to be done with a message.
   *
   * @param {T} message
   */
  has(message) {
    return this.#actions.some((action) => action.allows(message));
  }

  /**
   * Do what a key stands for. Returns whether it stands for anything.
   *
   * @param {KeyboardEvent} event
   * @param {T} message
   */
  pressKey({ key, ctrlKey, metaKey, altKey }, message) {
    if (ctrlKey || metaKey || altKey) return false;
    const action = this.#actions.find((action) => action.key === key.toLowerCase() && action.allows(message));
    if (!action) return false;
    this.close();
    action.act(message);
    return true;
  }

  /**
   * Open the menu of a message, or close it if it is open.
   *
   * @param {HTMLElement} button
   * @param {T} message
   */
  toggle(button, message) {
    if (this.#button === button) {
      this.close();
      return;
    }
    this.close();
    const items = this.#actions.filter((action) => action.allows(message)).map((action) => this.#item(action, message));
    if (items.length === 0) return;
    const lead = this.lead(message);
    this.#menu.replaceChildren(...(lead ? [lead] : []), ...items);
    this.#button = button;
    button.ariaExpanded = "true";
    this.#menu.hidden = false;
    this.#stayBeside(button);
    items[0]?.focus({ preventScroll: true });
  }

  /** Close the menu; the focus, if the menu has it, goes back to the button. */
  close() {
    const button = this.#button;
    if (!button) return;
    this.#button = null;
    button.ariaExpanded = "false";
    if (this.#menu.contains(document.activeElement)) button.focus({ preventScroll: true });
    this.#menu.hidden = true;
    this.#menu.replaceChildren();
  }

  /**
   * Whether the menu is open for the message that `line` shows.
   *
   * @param {Element} line
   */
  belongsTo(line) {
    return line.contains(this.#button);
  }

  /**
   * @param {Action<T>} action
   * @param {T} message
   */
  #item({ label, key, question, act }, message) {
    const item = element("button", "menu-item", label);
    item.type = "button";
    item.role = "menuitem";
    item.tabIndex = -1;
    if (key !== undefined) item.setAttribute("aria-keyshortcuts", key.toUpperCase());
    let sure = question === undefined;
    item.addEventListener("click", () => {
      if (sure) {
        this.close();
        act(message);
        return;
      }
      sure = true;
      item.dataset.sure = "";
      item.textContent = question ?? label;
    });
    return item;
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const items = [...this.#menu.querySelectorAll("button")];
    const index = items.findIndex((item) => item.contains(document.activeElement));
    const next = {
      ArrowDown: index + 1,
      ArrowRight: index + 1,
      ArrowUp: index - 1,
      ArrowLeft: index - 1,
      Home: 0,
      End: -1,
    }[event.key];
    if (next !== undefined) {
      event.preventDefault();
      items.at(next % items.length)?.focus();
    }
    if (event.key === "Escape") event.preventDefault();
    if (event.key === "Escape" || event.key === "Tab") this.close();
  }

  /**
   * The button moves when the reader scrolls, when a message comes, and when the window changes its size.
   *
   * @param {HTMLElement} button
   */
  #stayBeside(button) {
    if (this.#button !== button) return;
    this.#place(button);
    requestAnimationFrame(() => this.#stayBeside(button));
  }

  /**
   * Put the menu below its button, or above it where there is no room below.
   *
   * @param {HTMLElement} pressed
   */
  #place(pressed) {
    const room = this.#menu.offsetParent?.getBoundingClientRect();
    const button = pressed.getBoundingClientRect();
    if (!room || !pressed.isConnected || button.bottom < room.top || button.top > room.bottom) {
      this.close();
      return;
    }
    const { offsetWidth, offsetHeight, style } = this.#menu;
    const below = button.bottom - room.top + GAP;
    const above = button.top - room.top - GAP - offsetHeight;
    const left = button.right - room.left - offsetWidth;
    style.top = `${below + offsetHeight <= room.height ? below : Math.max(0, above)}px`;
    style.left = `${Math.min(Math.max(0, left), room.width - offsetWidth)}px`;
  }
}
