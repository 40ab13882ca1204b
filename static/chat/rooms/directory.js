// @ts-check
/** The directory of public rooms: searches as one types. Without this, its form does. */

import { find } from "../elements.js";
import { directory, Latest } from "./directory-page.js";

const DELAY = 200; // milliseconds without a key until what was typed is searched for

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
  // Its words change, and are read out; the element stays.
  find(shown, "[role=status]", HTMLElement).textContent = find(found, "[role=status]", HTMLElement).textContent;
}

input.addEventListener("input", () => searches.do(search));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  searches.do(search);
});
