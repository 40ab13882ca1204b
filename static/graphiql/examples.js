// @ts-check
/** Reads examples.graphql: operations that run as they are, in groups. */

const OWN_ROOM = "chat:example-room";

/**
 * @typedef {{ title: string, query: string }} Example
 * @typedef {{ title: string, examples: Example[] }} Group
 */

/**
 * A line `## …` begins a group. An example begins with a comment, whose first sentence is its title.
 *
 * @param {string} text
 * @returns {Group[]}
 */
export function read(text) {
  return text
    .split(/^## /m)
    .slice(1)
    .map((group) => {
      const [title = "", ...queries] = group.trim().split(/\n\n(?=# )/);
      return { title, examples: queries.map((query) => ({ title: titleOf(query), query: `${query}\n` })) };
    });
}

/**
 * The examples with a name of this browser's own in the place of "club", the room that they make. Of one name for all,
 * the first who says something in it would leave the rest with a room that is nobody's, or somebody else's.
 *
 * @param {string} text
 * @param {Storage} storage where the name is kept
 */
export function withOwnRoom(text, storage) {
  const name =
    storage.getItem(OWN_ROOM) ??
    `club-${Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  storage.setItem(OWN_ROOM, name);
  return text.replaceAll('"club"', JSON.stringify(name));
}

/** @param {string} query */
function titleOf(query) {
  return /^# ([^.\n]+)/.exec(query)?.[1] ?? "";
}
