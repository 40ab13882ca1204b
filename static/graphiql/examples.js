// @ts-check
/** Reads examples.graphql: operations that run as they are, in groups. */

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

/** @param {string} query */
function titleOf(query) {
  return /^# ([^.\n]+)/.exec(query)?.[1] ?? "";
}
