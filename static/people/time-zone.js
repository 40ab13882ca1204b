// @ts-check
/** Offers the browser's time zone to a person who chooses theirs. */

import { find } from "../chat/elements.js";

const select = find(document, "#id_time_zone", HTMLSelectElement);
const button = find(document, "#time-zone-here", HTMLButtonElement);
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** The site may not know it, nor by that name: some have two. */
function isOffered() {
  return Array.from(select.options).some((option) => option.value === zone);
}

function show() {
  button.hidden = !isOffered() || select.value === zone;
}

find(button, "bdi", HTMLElement).textContent = zone;
select.addEventListener("change", show);
button.addEventListener("click", () => {
  select.value = zone;
  select.focus();
  show();
});
show();
