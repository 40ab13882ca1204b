// @ts-check

import { find } from "../elements.js";
import { fillWithElements, gettext } from "../translation.js";

const KEY = "chat person"; // in the browser's storage
const SETTLING = 30_000; // milliseconds from a browser's first page until it is sure which guest it keeps

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
 * A browser that opens two pages at its very first visit is given two guests, and keeps the cookie that comes last. The
 * other page then goes on as that guest by itself. A browser that keeps no cookies is another guest each time it asks:
 * its page reads, and can't say anything.
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
  /** Goes on reading, as nobody in particular. */
  onlyRead = () => {};

  /** @type {Person} */
  #known = { id: "", name: "" };
  /** @type {Person | null} */
  #found = null;
  #refused = false;
  #reconnected = false;
  #settlesUntil = 0; // milliseconds, as performance.now() has them

  /**
   * Watch out for anybody else than the person the page was made for.
   *
   * @param {Person} person
   * @param {boolean} [firstVisit] the page itself brought the browser the cookie of that person
   */
  watch(person, firstVisit = false) {
    this.#known = person;
    if (firstVisit) this.#settlesUntil = performance.now() + SETTLING;
    if (firstVisit && !navigator.cookieEnabled) {
      this.#goWithoutCookies();
      return;
    }
    find(this, "button", HTMLButtonElement).addEventListener("click", () => this.#goOn());
    addEventListener("storage", ({ key }) => key === KEY && this.#look());
    document.addEventListener("visibilitychange", () => {
      if (this.#refused && document.visibilityState === "visible") this.#look();
    });
  }

  /** The server doesn't take the page for that person any more. */
  refuse() {
    this.#refused = true;
    if (!this.#settling) this.#show(null);
    this.#look();
  }

  get #settling() {
    return performance.now() < this.#settlesUntil;
  }

  #goOn() {
    if (this.#found === null) return;
    this.#known = this.#found;
    this.hidden = true;
    this.takeOver(this.#found);
  }

  async #look() {
    const answer = await ask(this.dataset.url ?? "");
    if (answer === undefined) {
      if (this.#refused && this.hidden) this.#show(null);
      return;
    }
    const same = answer?.id === this.#known.id && answer.name === this.#known.name;
    if (this.#settling && answer && answer.id !== this.#known.id && answer.id.startsWith("guest-")) {
      await this.#settle(answer);
    } else if (!same) {
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

  /**
   * The browser has another guest than the page: one that it keeps, or a new one for each request.
   *
   * @param {Person} guest
   */
  async #settle(guest) {
    const again = await ask(this.dataset.url ?? "");
    if (again === undefined) return;
    if (again?.id === guest.id) this.takeOver(guest);
    else this.#goWithoutCookies();
  }

  #goWithoutCookies() {
    this.#settlesUntil = 0;
    this.#refused = false;
    find(this, ".words", HTMLElement).textContent = gettext(
      "Your browser keeps no cookies for this site, so you can read here, but not say anything.",
    );
    find(this, "button", HTMLButtonElement).hidden = true;
    find(this, "a", HTMLAnchorElement).hidden = true;
    this.hidden = false;
    this.onlyRead();
  }

  /** @param {Person | null} person null if one is nobody here, or it isn't known yet who */
  #show(person) {
    this.#found = person;
    const button = find(this, "button", HTMLButtonElement);
    const name = document.createElement("bdi");
    name.textContent = person?.name ?? "";
    find(this, ".words", HTMLElement).replaceChildren(
      ...(person
        ? fillWithElements(gettext("You are now %(name)s in this browser."), { name })
        : [gettext("Your session here has ended.")]),
    );
    button.hidden = person === null;
    button.replaceChildren(...fillWithElements(gettext("Go on as %(name)s"), { name: name.cloneNode(true) }));
    find(this, "a", HTMLAnchorElement).hidden = person !== null && !person.id.startsWith("guest-");
    this.hidden = false;
  }
}

/**
 * The person in this browser: null if there is none, as where the site takes no guests; undefined if the server can't
 * say now.
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
