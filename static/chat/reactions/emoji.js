// @ts-check

const VARIATION = "\ufe0f"; // asks for a picture where a character may be a text as well
const TEXT = /(?=\p{Emoji})\P{Emoji_Presentation}(?!\p{Emoji_Modifier})/gu;

/**
 * An emoji as Unicode writes it in full, which is how the server has it: lists and keyboards leave variation selectors
 * out, or put in more than are needed.
 *
 * @param {string} emoji
 */
export function inFull(emoji) {
  return emoji.replaceAll(VARIATION, "").replace(TEXT, `$&${VARIATION}`);
}
