// @ts-check
/** The form that leads to a room: checks the name and goes to the room's page. */

import { find } from "./elements.js";
import { fill, gettext, ngettext } from "./translation.js";
import { isBlank, isDisguised } from "./unseen.js";

const form = find(document, "#room-name-form", HTMLFormElement);
const input = find(form, "#room-name-input", HTMLInputElement);
const error = find(form, "#room-name-error", HTMLElement);
const nameMax = Number(form.dataset.nameMax);

/**
 * The problem with a room's name, in words for the person who typed it; "" if there is none.
 *
 * @param {string} name
 * @returns {string}
 */
function fault(name) {
  if (name === "") return gettext("Type the name of a room.");
  // The server counts code points, a string's length counts UTF-16 units.
  const length = [...name].length;
  if (length > nameMax) return tooLong(length);
  if (isDisguised(name) || isBlank(name))
    return gettext("A room's name cannot contain characters that nobody can see.");
  if (/[\p{Cc}\p{Cs}]/u.test(name)) return gettext("A room's name cannot contain control characters.");
  // Browsers resolve these as path segments, even percent-encoded, so that no address leads there.
  if (name === "." || name === "..") return fill(gettext("A room cannot be called “%(name)s”."), { name });
  return "";
}

/** @param {number} length of a name */
function tooLong(length) {
  const words = ngettext(
    "A room's name has at most %(max)s character, this one has %(length)s.",
    "A room's name has at most %(max)s characters, this one has %(length)s.",
    nameMax,
  );
  return fill(words, { max: nameMax, length });
}

/** @param {string} text */
function showFault(text) {
  error.textContent = text;
  input.setAttribute("aria-invalid", String(text !== ""));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const name = input.value.trim().normalize("NFC");
  showFault(fault(name));
  if (error.textContent) input.focus();
  else location.assign(`${form.getAttribute("action")}${encodeURIComponent(name)}/`);
});
input.addEventListener("input", () => showFault(""));
input.focus();
