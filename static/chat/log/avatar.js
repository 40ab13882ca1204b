// @ts-check

import { element } from "../elements.js";

const TONES = 8; // as many as site.css has
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The circle beside a person's name. Its letter is the style sheet's, from `data-initial`: nobody copies or hears it.
 *
 * @param {string} name
 */
export function avatar(name) {
  const circle = element("span", "avatar");
  circle.dataset.initial = initial(name);
  circle.ariaHidden = "true";
  return circle;
}

/**
 * The first character as people count them, of however many code points: 👨‍👩‍👧‍👦 and 🇩🇪 are one each.
 *
 * @param {string} name
 */
export function initial(name) {
  const [first] = graphemes.segment(name.trim().normalize("NFC"));
  if (!first) return "";
  const upper = first.segment.toUpperCase();
  return [...graphemes.segment(upper)].length === 1 ? upper : first.segment; // “ß” would be two
}

/**
 * One of the style sheet's tones, the same every time for the same person.
 *
 * @param {string} person an id, or a name
 */
export function tone(person) {
  const sum = Array.from(person).reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 65_521, 7);
  return String(sum % TONES);
}
