// @ts-check

import { element } from "../elements.js";
import { profileAddress } from "../profile.js";

const TONES = 8; // as many as site.css has
const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * The addresses of people's pictures by their ids, as the page was given them; null for people who have none.
 *
 * @type {Map<string, string | null>}
 */
const pictures = new Map();

/**
 * Tell whose picture is where.
 *
 * @param {Record<string, string | null>} addresses by people's ids
 */
export function knowAvatars(addresses) {
  for (const [id, address] of Object.entries(addresses)) pictures.set(id, address);
}

/**
 * The circle beside a person's name. It shows their picture, or else a letter, which is the style sheet's, from
 * `data-initial`: nobody copies or hears it.
 *
 * @param {string} name
 * @param {string | null} [personId]
 */
export function avatar(name, personId = null) {
  const circle = element("span", "avatar");
  circle.dataset.initial = initial(name);
  circle.ariaHidden = "true";
  const address = pictureOf(personId);
  if (personId !== null && address !== null) circle.append(picture(personId, address));
  return circle;
}

/**
 * Where a person's picture is, or may be: the page isn't told of people who come later.
 *
 * @param {string | null} personId
 */
function pictureOf(personId) {
  const known = personId === null ? null : pictures.get(personId);
  if (known !== undefined) return known;
  const profile = profileAddress(personId);
  return profile && `${profile}avatar`;
}

/**
 * @param {string} personId
 * @param {string} address
 */
function picture(personId, address) {
  const image = element("img", "");
  image.alt = "";
  image.loading = "lazy";
  image.decoding = "async";
  image.addEventListener("load", () => image.parentElement?.classList.add("pictured"));
  image.addEventListener("error", () => {
    image.remove();
    pictures.set(personId, null); // there is none, which the server answers with nothing
  });
  image.src = address;
  return image;
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
