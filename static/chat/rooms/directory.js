// @ts-check
/** The directory of public rooms: searches as one types, and adds more rooms to the list. Its form and links do without. */

import { find } from "../elements.js";
import { directory, directoryAt, Latest } from "./directory-page.js";

const DELAY = 200; // milliseconds without a key until what was typed is searched for
const MORE = ".directory-more";

const form = find(document, "#directory-form", HTMLFormElement);
const input = find(form, "#directory-input", HTMLInputElement);
const shown = find(document, "#directory", HTMLElement);
const searches = new Latest(DELAY);

/** @param {AbortSignal} signal */
async function search(signal) {
  const found = await directory(form.action, input.value.trim(), signal);
  if (found === null || signal.aborted) return;
  shown.querySelector("ul")?.remove();
  const list = found.querySelector("ul");
  if (list) shown.prepend(document.importNode(list, true));
  takeStatus(found);
  find(shown, ".directory-pages", HTMLElement).replaceChildren(...linkToMore(found));
}

/**
 * Adds the rooms of the next page, and leads to the first of them.
 *
 * @param {HTMLAnchorElement} link to that page
 */
async function addMore(link) {
  if (link.ariaBusy === "true") return;
  link.ariaBusy = "true";
  const found = await directoryAt(link.href);
  if (!link.isConnected) return; // another search has taken its place
  if (found === null) {
    location.assign(link.href);
    return;
  }
  const rooms = Array.from(found.querySelectorAll("li"), (room) => document.importNode(room, true));
  find(shown, "ul", HTMLElement).append(...rooms);
  takeStatus(found);
  link.replaceWith(...linkToMore(found));
  rooms[0]?.querySelector("a")?.focus();
}

/**
 * The words of the status change, and are read out; the element stays.
 *
 * @param {Element} found
 */
function takeStatus(found) {
  find(shown, "[role=status]", HTMLElement).textContent = find(found, "[role=status]", HTMLElement).textContent;
}

/** @param {Element} found */
function linkToMore(found) {
  return Array.from(found.querySelectorAll(MORE), (link) => document.importNode(link, true));
}

input.addEventListener("input", () => searches.do(search));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  searches.do(search);
});
shown.addEventListener("click", (event) => {
  const link = event.target instanceof Element ? event.target.closest(MORE) : null;
  const opensElsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0;
  if (!(link instanceof HTMLAnchorElement) || opensElsewhere) return;
  event.preventDefault();
  addMore(link);
});
