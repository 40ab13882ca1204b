// @ts-check

import { dialogIsOpen } from "./elements.js";

/** Where a question mark is a character, or the keys belong to something that is open. */
const ELSEWHERE = "input, textarea, select, [contenteditable], [role=menu], [popover]";

/**
 * Shows the list of keys, by buttons or by a question mark that isn't written anywhere. The browser gives the focus back
 * when the dialog closes.
 *
 * @param {HTMLDialogElement} dialog closes itself: by its form, and by Escape
 * @param {HTMLButtonElement[]} buttons stay hidden without scripts
 */
export function offerKeys(dialog, buttons) {
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", () => dialog.showModal());
  }
  document.addEventListener("keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event;
    if (key !== "?" || ctrlKey || metaKey || altKey) return;
    if (dialogIsOpen() || (target instanceof Element && target.closest(ELSEWHERE))) return;
    event.preventDefault();
    dialog.showModal();
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close(); // beside it
  });
}
