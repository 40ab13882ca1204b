// @ts-check

import { find } from "../elements.js";
import { gettext } from "../translation.js";
import { chime } from "./chime.js";

/** @import { Message } from "../log/message.js" */
/** @import { OwnRoom } from "../rooms/own-rooms.js" */

const SOUND = "alerts: sound"; // the names under which the browser keeps what the reader wants
const NOTIFICATIONS = "alerts: notifications";

const REFUSED = gettext("Your browser doesn’t let this site notify you. Its settings can change that.");

/**
 * Tells a reader who isn't looking that somebody spoke: by a sound, and, for what calls them and in direct rooms, by the
 * browser's notifications. Holds a switch for each. Nothing is asked of the reader before they press one.
 */
export class RoomAlerts extends HTMLElement {
  /** How the reader wants to be told of a room: "all", "mentions" or "nothing". */
  involvement = (/** @type {string} */ _room) => "all";
  /** Whether the site sends notifications to this browser: then the page shows none of its own. */
  pushed = () => false;
  /** The name of a room as the reader is shown it. */
  label = (/** @type {string} */ room) => room;
  /**
   * How many messages that the reader is told of were unread in each room: mentions, and all of a direct room.
   *
   * @type {Map<string, number>}
   */
  #calling = new Map();

  connectedCallback() {
    this.#sound.onclick = () => this.#keep(SOUND, !this.#wantsSound);
    this.#notifications.onclick = () => this.#switchNotifications();
    this.#notifications.hidden = !("Notification" in window);
    this.#sound.hidden = false;
    this.#show();
  }

  /**
   * Something was said in the room that the page shows.
   *
   * @param {string} room
   * @param {Message} message
   * @param {boolean} called it calls the reader
   */
  hear(room, message, called) {
    const involvement = this.involvement(room);
    if (isLooking() || involvement === "nothing" || (involvement === "mentions" && !called)) return;
    if (this.#wantsSound) chime();
    if (called || isDirect(room)) this.#notify(room, `${message.userName}: ${message.text}`);
  }

  /**
   * The server tells of the reader's other rooms.
   *
   * @param {OwnRoom[]} rooms
   * @param {boolean} complete they are all that there are, so they may have had these messages for long
   */
  take(rooms, complete) {
    for (const { name, unread, mentions_unread: mentions = 0, involvement } of rooms) {
      const all = isDirect(name) && involvement === "all";
      const calling = all ? unread : mentions;
      const more = calling > (this.#calling.get(name) ?? 0);
      this.#calling.set(name, calling);
      if (!more || complete || isLooking() || involvement === "nothing") continue;
      if (this.#wantsSound) chime();
      this.#notify(name, all ? gettext("There is a new message.") : gettext("You were mentioned."));
    }
  }

  get #sound() {
    return find(this, "[data-switch=sound]", HTMLButtonElement);
  }

  get #notifications() {
    return find(this, "[data-switch=notifications]", HTMLButtonElement);
  }

  get #wantsSound() {
    return read(SOUND) !== "off";
  }

  get #wantsNotifications() {
    return read(NOTIFICATIONS) === "on" && "Notification" in window && Notification.permission === "granted";
  }

  async #switchNotifications() {
    const wanted = !this.#wantsNotifications;
    const refused = wanted && (await Notification.requestPermission()) !== "granted";
    find(this, "[role=status]", HTMLElement).textContent = refused ? REFUSED : "";
    this.#keep(NOTIFICATIONS, wanted && !refused);
  }

  /**
   * @param {string} what
   * @param {boolean} on
   */
  #keep(what, on) {
    try {
      localStorage.setItem(what, on ? "on" : "off");
    } catch {
      // The browser keeps nothing for this site, so it holds until the page is loaded again.
    }
    kept.set(what, on ? "on" : "off");
    this.#show();
  }

  #show() {
    this.#sound.ariaChecked = String(this.#wantsSound);
    this.#notifications.ariaChecked = String(this.#wantsNotifications);
  }

  /**
   * @param {string} room
   * @param {string} text
   */
  #notify(room, text) {
    if (!this.#wantsNotifications || this.pushed()) return;
    try {
      const notification = new Notification(this.label(room), { body: text.slice(0, 200), tag: room });
      notification.onclick = () => {
        window.focus();
        notification.close();
      };
    } catch {
      // Chrome on Android has notifications for installed pages only.
    }
  }
}

/** The choices on this page; for browsers that keep nothing. */
const kept = new Map();

/** @param {string} what */
function read(what) {
  try {
    return localStorage.getItem(what) ?? kept.get(what);
  } catch {
    return kept.get(what);
  }
}

function isLooking() {
  return document.visibilityState === "visible" && document.hasFocus();
}

/** @param {string} room */
function isDirect(room) {
  return room.startsWith("@");
}
