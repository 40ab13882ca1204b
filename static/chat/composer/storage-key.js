// @ts-check

/** @import { Person } from "../connection/identity.js" */

/**
 * The key under which the tab keeps what a person is writing in a room.
 *
 * @param {"draft" | "files" | "outbox"} what
 * @param {Person} person
 * @param {string} room
 */
export function storageKey(what, person, room) {
  return `${what} of ${person.id} in ${room}`;
}
