// @ts-check

import { gettext } from "./translation.js";

/** @import { Person } from "./connection/identity.js" */

const MODERATING = new Set(["moderator", "owner"]);
const NO_COOKIES = gettext("Your browser keeps no cookies for this site, so nothing was sent.");
const READ_ONLY = gettext("This room is read-only: only owners and moderators can write.");

/** The reader's standing in the room: as whom they are here, and what they may do. */
export class Standing {
  /** @type {Person & { isGuest: boolean }} */
  person;
  moderates;
  owns;
  /** Whether only moderators and owners may post. */
  readOnly;
  /** Whether the reader can't be in the room any more, of which the page has a notice. */
  excluded = false;
  /** Without cookies the server takes the page for somebody else each time, so it only reads. */
  readsOnly = false;

  /**
   * @param {object} given
   * @param {Person & { isGuest: boolean }} given.person
   * @param {boolean} given.moderates
   * @param {boolean} given.owns
   * @param {boolean} given.readOnly
   */
  constructor({ person, moderates, owns, readOnly }) {
    this.person = person;
    this.moderates = moderates;
    this.owns = owns;
    this.readOnly = readOnly;
  }

  /** Whether the room takes nothing that the reader says. */
  get roomIsClosed() {
    return this.readOnly && !this.moderates;
  }

  /** Why the reader can say nothing, in words; "" if they can. */
  get fault() {
    if (this.readsOnly) return NO_COOKIES;
    return this.roomIsClosed ? READ_ONLY : "";
  }

  /** @param {string} role the reader's from now on */
  set role(role) {
    this.moderates = MODERATING.has(role);
    this.owns = role === "owner";
  }
}
