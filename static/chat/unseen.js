// @ts-check
/** Characters that nobody sees, by the rules of the server: chat/domain/unseen.py and chat/domain/names.py. */

const BLANK = /^[\s\p{Default_Ignorable_Code_Point}\u2800\ufffc]*$/u;
const UNSEEN = /\p{Default_Ignorable_Code_Point}/u;
const JOINERS = /\u061c|\u200c|\u200d|\u200e|\u200f/u;
const TAGS = /[\u{e0020}-\u{e007f}]/u;
const VARIATION = /\p{Variation_Selector}/u;

/**
 * Whether there is nothing to be seen in a text.
 *
 * @param {string} text
 */
export function isBlank(text) {
  return BLANK.test(text);
}

/**
 * Whether a name has characters that nobody sees and that no script or emoji needs.
 *
 * @param {string} name
 */
export function isDisguised(name) {
  return [...name].some(
    (character) =>
      UNSEEN.test(character) && !JOINERS.test(character) && !TAGS.test(character) && !VARIATION.test(character),
  );
}
