// @ts-check
/** The list of all emoji, as the picker has it. */

import { inFull } from "./emoji.js";

/**
 * One emoji of the list.
 *
 * @typedef {object} Emoji
 * @property {string} emoji
 * @property {string} name
 * @property {number} group
 * @property {string[]} words that it is found by, in lower case
 * @property {Map<number, string>} skins the same in the skin tones 1 to 5, where it has these
 */

/**
 * Loads the list.
 *
 * @param {string} url
 * @returns {Promise<Emoji[]>}
 * @throws {Error} where it can't be had
 */
export async function loadEmoji(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return (await answer.json()).map(readEmoji);
}

/** @param {Record<string, any>} given as emoji-picker-element-data has it */
export function readEmoji({ emoji, annotation, group, tags = [], shortcodes = [], skins = [] }) {
  const words = [annotation, ...tags, ...shortcodes].flatMap((text) => text.toLowerCase().split(/[\s_-]+/));
  /** @type {Map<number, string>} */
  const inSkins = new Map();
  for (const { tone, emoji: skin } of skins) if (typeof tone === "number") inSkins.set(tone, inFull(skin));
  return { emoji: inFull(emoji), name: annotation, group, words: [...new Set(words)], skins: inSkins };
}

/**
 * Whether each word of a search begins one of the emoji's, or is the emoji.
 *
 * @param {Emoji} emoji
 * @param {string} search
 */
export function isFound(emoji, search) {
  const wanted = search.toLowerCase().split(/\s+/).filter(Boolean);
  return wanted.every((word) => inFull(word) === emoji.emoji || emoji.words.some((one) => one.startsWith(word)));
}
