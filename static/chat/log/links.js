// @ts-check

import { element } from "../elements.js";

/** @import { Timeline } from "./timeline.js" */

/**
 * The address of a message of this page's room.
 *
 * @param {number | null} offset
 */
export function addressOf(offset) {
  return new URL(`${location.pathname}?at=${offset}`, location.href).href;
}

/**
 * Have links to messages of this room lead there within the page, unless they are to open elsewhere.
 *
 * @param {HTMLElement} root has the links
 * @param {Timeline} timeline
 */
export function followLinks(root, timeline) {
  root.addEventListener("click", (event) => {
    const link = event.target instanceof Element && event.target.closest("a[data-at]");
    if (!(link instanceof HTMLAnchorElement)) return;
    if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    timeline.openAt(Number(link.dataset.at));
  });
}

/**
 * Copy a text. Returns whether that was done; a page that came over plain HTTP has to do it by a selection.
 *
 * @param {string} text
 */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelection(text);
  }
}

/** @param {string} text */
function copySelection(text) {
  const focused = document.activeElement;
  const area = element("textarea", "");
  area.value = text;
  area.style.position = "fixed"; // so that nothing scrolls to it
  document.body.append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}
