// @ts-check

import { element } from "./elements.js";

const USER = /^user-\d{1,18}$/; // guests have no profile

/**
 * The address that leads to a person's profile.
 *
 * @param {string | null | undefined} personId
 * @returns {string | null} null for whoever has none
 */
export function profileAddress(personId) {
  return personId && USER.test(personId) ? `/people/id/${personId}/` : null;
}

/**
 * Words for a person, which lead to their profile, if they have one.
 *
 * @param {string | null} personId
 * @param {string} className
 * @param {string} [words]
 * @returns {HTMLElement}
 */
export function personElement(personId, className, words = "") {
  const address = profileAddress(personId);
  if (address === null) return element("span", className, words);
  const link = element("a", className, words);
  link.href = address;
  return link;
}
