// @ts-check

import { gettext } from "./translation.js";

/** @import { Person } from "./connection/identity.js" */

const MODERATING = new Set(["moderator", "owner"]);
const NO_COOKIES = gettext("Your browser keeps no cookies for this site, so nothing was sent.");

/** The reader's standing in the room: as whom they are here, and what they may do. */
export class Standing {
  /** @type {Person & { isGuest: boolean }} */
  person;
  moderates;
  owns;
  /** Without cookies the server takes the page for somebody else each time, so it only reads. */
  readsOnly = false;

  /**
   * @param {object} given
   * @param {Person & { isGuest: boolean }} given.person
   * @param {boolean} given.moderates
   * @param {boolean} given.owns
   */
  constructor({ person, moderates, owns }) {
    this.person = person;
    this.moderates = moderates;
    this.owns = owns;
  }

  /** Why the reader can say nothing, in words; "" if they can. */
  get fault() {
    return this.readsOnly ? NO_COOKIES : "";
  }

  /** @param {string} role the reader's from now on */
  set role(role) {
    this.moderates = MODERATING.has(role);
    this.owns = role === "owner";
  }
}
