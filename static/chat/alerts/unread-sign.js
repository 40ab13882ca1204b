// @ts-check

import { unreadWords } from "../rooms/own-rooms.js";

/** Shows in the page's title and icon, where a tab in the background has them too, that something is unread. */
export class UnreadSign {
  #icon;
  #read;
  #unread;
  #title = document.title;

  /** @param {HTMLLinkElement} icon the page's icon; its `data-unread` is the address of the one with a dot */
  constructor(icon) {
    this.#icon = icon;
    this.#read = icon.href;
    this.#unread = icon.dataset.unread ?? icon.href;
  }

  /** @param {number} unread messages */
  show(unread) {
    document.title = unread > 0 ? `(${unreadWords(Math.min(unread, 100))}) ${this.#title}` : this.#title;
    this.#icon.href = unread > 0 ? this.#unread : this.#read;
  }
}
