// @ts-check

/** @import { Standing } from "../standing.js" */
/** @import { Position } from "./position.js" */

const KINDS = "edits,reactions,links,html,presence,typing,rooms"; // beside messages

/**
 * The address of the room's socket, for what the page hasn't seen.
 *
 * @param {string} room
 * @param {Position} position
 * @param {Standing} standing
 */
export function socketAddress(room, position, standing) {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const query = new URLSearchParams({ after: String(position.offset), with: KINDS });
  // `as`: once logged out elsewhere, the page must not go on as somebody else without a word.
  if (!standing.readsOnly) query.set("as", standing.person.id);
  if (position.id !== null) query.set("id", position.id);
  return `${scheme}://${location.host}/ws/chat/${encodeURIComponent(room)}/?${query}`;
}
