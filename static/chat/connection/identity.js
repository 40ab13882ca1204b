// @ts-check

import { find } from "../elements.js";

const KEY = "chat person"; // in the browser's storage

/**
 * @typedef {object} Person
 * @property {string} id
 * @property {string} name
 */

/**
 * Tell the site's other pages in this browser who one is. They hear of it when it isn't the person they knew of.
 *
 * @param {Person} person
 */
export function announce({ id, name }) {
  try {
    localStorage.setItem(KEY, JSON.stringify([id, name]));
  } catch {
    // Storage is forbidden: then the server tells, when it ends their connections.
  }
}

/**
 * Says who one is in this browser once that is somebody else than the page was made for, because one has logged in or
 * out or taken another name in another tab. A button takes that person over.
 *
 * Holds an element of class "words", a link to log in, and a button; `data-url` is where to ask who one is.
 */
export class ChatIdentity extends HTMLElement {
  /**
   * Goes on as another person.
   *
   * @type {(person: Person) => void}
   */
  takeOver = () => {};
  /** Connects again: the person is the same as before. */
  reconnect = () => {};

  /** @type {Person} */
  #known = { id: "", name: "" };
  /** @type {Person | null} */
  #found = null;
  #refused = false;
  #reconnected = false;

  /**
   * Watch out for anybody else than the person the page was made for.
   *
   * @param {Person} person
   */
  watch(person) {
    this.#known = person;
    find(this, "button", HTMLButtonElement).addEventListener("click", () => this.#goOn());
    addEventListener("storage", ({ key }) => key === KEY && this.#look());
    document.addEventListener("visibilitychange", () => {
      if (this.#refused && document.visibilityState === "visible") this.#look();
    });
  }

  /** The server doesn't take the page for that person any more. */
  refuse() {
    this.#refused = true;
    this.#show(null);
    this.#look();
  }

  #goOn() {
    if (this.#found === null) return;
    this.#known = this.#found;
    this.hidden = true;
    this.takeOver(this.#found);
  }

  async #look() {
    const answer = await ask(this.dataset.url ?? "");
    if (answer === undefined) return;
    const same = answer?.id === this.#known.id && answer.name === this.#known.name;
    if (!same) {
      if (answer !== null || this.#refused) this.#show(answer);
    } else if (!this.#refused) {
      this.hidden = true; // it was another for a while
    } else if (!this.#reconnected) {
      this.#reconnected = true; // once: the server must not be asked in circles
      this.#refused = false;
      this.hidden = true;
      this.reconnect();
    }
  }

  /** @param {Person | null} person null if one is nobody here, or it isn't known yet who */
  #show(person) {
    this.#found = person;
    const button = find(this, "button", HTMLButtonElement);
    const name = document.createElement("bdi");
    name.textContent = person?.name ?? "";
    find(this, ".words", HTMLElement).replaceChildren(
      ...(person ? ["You are now ", name, " in this browser."] : ["Your session here has ended."]),
    );
    button.hidden = person === null;
    button.replaceChildren("Go on as ", name.cloneNode(true));
    find(this, "a", HTMLAnchorElement).hidden = person !== null && !person.id.startsWith("guest-");
    this.hidden = false;
  }
}

/**
 * Who one is in this browser: null if nobody, as where the site takes no guests; undefined if the server can't say now.
 *
 * @param {string} url
 * @returns {Promise<Person | null | undefined>}
 */
async function ask(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" } });
    if (response.status === 403) return null;
    if (!response.ok) return undefined;
    const { id, name } = await response.json();
    return { id: String(id), name: String(name) };
  } catch {
    return undefined;
  }
}
