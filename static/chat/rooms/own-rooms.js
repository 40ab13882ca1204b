// @ts-check

import { NOT_CONNECTED } from "../connection/errors.js";
import { find } from "../elements.js";
import { avatar, tone } from "../log/avatar.js";
import { MessageMenu } from "../log/message-menu.js";
import { fill, gettext, ngettext } from "../translation.js";

/** @import { ServerError } from "../connection/errors.js" */
/** @import { Action } from "../log/message-menu.js" */

const REQUEST = "rooms"; // the id of all that is asked
const AVATARS_MAX = 2; // of a direct room
const UNREAD_MAX = 100; // the server counts no further

/**
 * One of the reader's rooms, as the server tells of it.
 *
 * @typedef {object} OwnRoom
 * @property {string} name
 * @property {number} unread
 * @property {number} [mentions_unread] how many of those call the reader; a server of a version before doesn't say
 * @property {number | null} read the last offset that the reader has read
 * @property {number} [last_offset] where the log ended when that was counted; a server of a version before doesn't say
 * @property {string | null} involvement "all", "mentions" or "nothing"; null if the room is none of the reader's any more
 * @property {string} [display_name] of a direct room: the others' names
 * @property {{ id: string, name: string }[]} [people] the others
 */

/**
 * Words for how much is unread.
 *
 * @param {number} unread
 */
export function unreadWords(unread) {
  if (unread === 0) return "";
  return unread < UNREAD_MAX ? String(unread) : `${UNREAD_MAX - 1}+`;
}

/**
 * The list of the reader's own rooms beside the conversation: how much is unread in each, and what can be done with it.
 *
 * Holds a list of links, a menu, a template of an item, a button to mark all rooms as read, and a line for errors.
 * `data-here` is the name of the room that the page shows.
 *
 * Events:
 *   "unread"  the number of unread messages in all rooms but this one has changed: `unread`
 */
export class OwnRooms extends HTMLElement {
  /**
   * Asks the server to do something with a room; returns whether the question went out.
   *
   * @type {(frame: Record<string, unknown>) => boolean}
   */
  ask = () => false;
  /** The unread messages that the reader wants to be told of, in all other rooms. */
  unread = 0;

  /** @type {Action<HTMLElement>[]} */
  #actions = [
    { label: gettext("All messages"), allows: isNot("all"), act: (item) => this.#involve(item, "all") },
    { label: gettext("Mentions only"), allows: isNot("mentions"), act: (item) => this.#involve(item, "mentions") },
    { label: gettext("Mute"), allows: isNot("nothing"), act: (item) => this.#involve(item, "nothing") },
    {
      label: gettext("Leave"),
      question: gettext("Really leave?"),
      allows: () => true,
      act: (item) => this.#leave(item),
    },
  ];

  connectedCallback() {
    if (this.dataset.ready !== undefined) return; // it is moved into the drawer and back
    this.dataset.ready = "";
    const menu = new MessageMenu(find(this, ".menu", HTMLElement), this.#actions);
    this.#list.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest(".room-actions") : null;
      const item = button?.closest("li");
      if (button instanceof HTMLElement && item) menu.toggle(button, item);
    });
    const readAll = find(this, ".room-read-all", HTMLButtonElement);
    readAll.addEventListener("click", () => this.#ask({ read_all: true }));
    for (const button of this.querySelectorAll("button")) button.hidden = false;
    for (const circle of /** @type {NodeListOf<HTMLElement>} */ (this.querySelectorAll(".avatar"))) {
      circle.replaceWith(circleOf({ id: circle.dataset.personId ?? "", name: circle.dataset.personName ?? "" }));
    }
    this.#sum();
  }

  /**
   * The server tells of some rooms, or, if they are `complete`, of all.
   *
   * @param {OwnRoom[]} rooms
   * @param {boolean} complete
   */
  take(rooms, complete) {
    this.showError("");
    if (complete) {
      const names = new Set(rooms.map(({ name }) => name));
      for (const item of this.#items) if (!names.has(nameOf(item)) && nameOf(item) !== this.#here) item.remove();
    }
    for (const room of rooms) this.#takeOne(room, complete);
    this.#sum();
  }

  /**
   * So many messages are unread in the room that the page shows.
   *
   * @param {number} unread
   */
  countHere(unread) {
    const item = this.#item(this.#here);
    const mentions = unread === 0 ? 0 : Number(item?.dataset.mentions ?? 0);
    if (item) show(item, { unread, mentions, involvement: item.dataset.involvement ?? "all" });
  }

  /** The room that the page shows is none of the reader's any more, by others' will: the server says so no further. */
  removeHere() {
    this.#item(this.#here)?.remove();
  }

  /**
   * A question has failed. Returns whether it is about the reader's rooms.
   *
   * @param {ServerError} error
   */
  fail({ request, text }) {
    if (request !== REQUEST) return false;
    this.showError(text);
    return true;
  }

  /** @param {string} text */
  showError(text) {
    find(this, "[role=alert]", HTMLElement).textContent = text;
  }

  /**
   * The name of a room as the reader is shown it.
   *
   * @param {string} name
   */
  label(name) {
    const item = this.#item(name);
    return (item && find(item, "bdi", HTMLElement).textContent) || name;
  }

  /**
   * How the reader wants to be told of a room.
   *
   * @param {string} name
   */
  involvement(name) {
    return this.#item(name)?.dataset.involvement ?? "all";
  }

  /**
   * The rooms in their order: names as they are shown, and where they are.
   *
   * @returns {{ name: string, url: string, isDirect: boolean }[]}
   */
  get rooms() {
    return this.#items.map((item) => ({
      name: find(item, "bdi", HTMLElement).textContent ?? "",
      url: find(item, "a", HTMLAnchorElement).href,
      isDirect: nameOf(item).startsWith("@"),
    }));
  }

  get #here() {
    return this.dataset.here ?? "";
  }

  get #list() {
    return find(this, ".room-list", HTMLElement);
  }

  get #items() {
    return [...this.#list.querySelectorAll("li")];
  }

  /** @param {string} name */
  #item(name) {
    return this.#items.find((item) => nameOf(item) === name);
  }

  /**
   * @param {OwnRoom} room
   * @param {boolean} complete
   */
  #takeOne(room, complete) {
    const { name, unread, mentions_unread: mentions = 0, involvement } = room;
    const known = this.#item(name);
    if (involvement === null) {
      known?.remove();
      return;
    }
    const item = known ?? this.#make(room);
    const more = unread > Number(item.dataset.unread ?? 0);
    if (!known) this.#list.append(item);
    else if (room.display_name !== undefined) call(item, room);
    show(item, { unread, mentions, involvement });
    // A list that somebody is using stays as it is.
    if (more && !complete && !this.matches(":hover, :focus-within")) this.#list.prepend(item);
  }

  /** @param {OwnRoom} room */
  #make(room) {
    const made = document.importNode(find(this, "template", HTMLTemplateElement).content, true);
    const item = find(made, "li", HTMLElement);
    item.dataset.room = room.name;
    find(item, "a", HTMLAnchorElement).href = `../${encodeURIComponent(room.name)}/`;
    call(item, room);
    return item;
  }

  #sum() {
    const others = this.#items.filter((item) => nameOf(item) !== this.#here);
    this.unread = others.reduce((sum, item) => sum + wanted(item), 0);
    this.dispatchEvent(new Event("unread"));
  }

  /**
   * @param {HTMLElement} item
   * @param {string} involvement
   */
  #involve(item, involvement) {
    this.#ask({ involvement, room: nameOf(item) });
  }

  /** @param {HTMLElement} item */
  #leave(item) {
    this.#ask({ leave: nameOf(item) });
  }

  /** @param {Record<string, unknown>} frame */
  #ask(frame) {
    this.showError(this.ask({ ...frame, request: REQUEST }) ? "" : NOT_CONNECTED);
  }
}

/**
 * Show what a room is called: a direct one by its people, who may take other names.
 *
 * @param {HTMLElement} item
 * @param {OwnRoom} room
 */
function call(item, { name, display_name: label = name, people = [] }) {
  const words = find(item, "bdi", HTMLElement);
  words.textContent = label;
  for (const circle of item.querySelectorAll(".avatar")) circle.remove();
  words.before(...people.slice(0, AVATARS_MAX).map(circleOf));
  find(item, ".room-actions", HTMLElement).ariaLabel = fill(gettext("Options of %(room)s"), { room: label });
}

/** @param {{ id: string, name: string }} person */
function circleOf({ id, name }) {
  const circle = avatar(name, id);
  circle.dataset.tone = tone(id);
  return circle;
}

/** @param {HTMLElement} item */
function nameOf(item) {
  return item.dataset.room ?? "";
}

/**
 * @param {string} involvement
 * @returns {(item: HTMLElement) => boolean}
 */
function isNot(involvement) {
  return (item) => item.dataset.involvement !== involvement;
}

/**
 * How many unread messages of a room the reader wants to be told of.
 *
 * @param {HTMLElement} item
 */
function wanted({ dataset: { involvement, unread, mentions } }) {
  if (involvement === "nothing") return 0;
  return Number((involvement === "mentions" ? mentions : unread) ?? 0);
}

/**
 * @param {HTMLElement} item
 * @param {{ unread: number, mentions: number, involvement: string }} state
 */
function show(item, { unread, mentions, involvement }) {
  item.dataset.unread = String(unread);
  item.dataset.mentions = String(mentions);
  item.dataset.involvement = involvement;
  find(item, ".unread-count", HTMLElement).textContent = unreadWords(unread);
  const forReader = fill(ngettext("%(count)s for you", "%(count)s for you", mentions), { count: mentions });
  const counted = [...(unread ? [gettext("unread")] : []), ...(mentions ? [forReader] : [])].join(", ");
  const words = [counted, involvement === "nothing" ? gettext("(muted)") : ""];
  find(item, ".unread-words", HTMLElement).textContent = words.map((word) => word && ` ${word}`).join("");
}
