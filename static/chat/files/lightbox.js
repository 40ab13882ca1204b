// @ts-check

import { find } from "../elements.js";
import { fill, gettext } from "../translation.js";

const SWIPE_MIN = 50; // pixels that a finger goes sideways, at least

/** Shows the pictures of the log large, one at a time. The arrow keys, and a finger sideways, lead from one to the next. */
export class Lightbox {
  #dialog;
  #log;
  #image;
  #caption;
  #download;
  #before;
  #after;
  /** @type {HTMLAnchorElement | null} the link in the log whose picture is shown */
  #shown = null;
  /** @type {Touch | null} where the only finger came down */
  #touch = null;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {HTMLElement} log
   */
  constructor(dialog, log) {
    this.#dialog = dialog;
    this.#log = log;
    this.#image = find(dialog, "img", HTMLImageElement);
    this.#caption = find(dialog, ".lightbox-caption", HTMLElement);
    this.#download = find(dialog, ".lightbox-download", HTMLAnchorElement);
    this.#before = find(dialog, ".lightbox-before", HTMLButtonElement);
    this.#after = find(dialog, ".lightbox-after", HTMLButtonElement);
    this.#before.addEventListener("click", () => this.#go(-1));
    this.#after.addEventListener("click", () => this.#go(1));
    find(dialog, ".lightbox-close", HTMLButtonElement).addEventListener("click", () => dialog.close());
    log.addEventListener("click", (event) => this.#open(event));
    // Of the document: after a press on the picture nothing in the dialog has the focus.
    document.addEventListener("keydown", (event) => {
      if (!dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "ArrowLeft") this.#go(-1);
      else if (event.key === "ArrowRight") this.#go(1);
      else return;
      event.preventDefault();
    });
    const began = (/** @type {TouchEvent} */ { touches }) => {
      this.#touch = touches.length === 1 ? (touches[0] ?? null) : null;
    };
    dialog.addEventListener("touchstart", began, { passive: true });
    dialog.addEventListener("touchend", ({ changedTouches }) => this.#swipe(changedTouches[0]));
    dialog.addEventListener("click", ({ target }) => {
      if (target === dialog) dialog.close(); // beside the picture
    });
    dialog.addEventListener("close", () => {
      this.#image.removeAttribute("src"); // an animation goes on otherwise
      this.#shown?.focus();
      this.#shown = null;
    });
  }

  /** A message is gone, or another: its pictures may be, too. */
  check() {
    if (this.#shown !== null && !this.#links.some((link) => link.href === this.#shown?.href)) this.#dialog.close();
  }

  /** @param {MouseEvent} event */
  #open(event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !(event.target instanceof Element)) return;
    const link = event.target.closest("a.picture");
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    this.#show(link);
    this.#dialog.showModal();
  }

  /** @param {Touch | undefined} end */
  #swipe(end) {
    const begin = this.#touch;
    this.#touch = null;
    const isZoomed = (window.visualViewport?.scale ?? 1) > 1.01; // then a finger moves the picture
    if (!begin || !end || isZoomed) return;
    const sideways = end.clientX - begin.clientX;
    const isLevel = Math.abs(sideways) > 2 * Math.abs(end.clientY - begin.clientY);
    if (isLevel && Math.abs(sideways) >= SWIPE_MIN) this.#go(sideways < 0 ? 1 : -1);
  }

  /** @param {number} step */
  #go(step) {
    const links = this.#links;
    const at = links.findIndex((link) => link.href === this.#shown?.href);
    const next = links[at + step];
    if (at !== -1 && next) this.#show(next);
  }

  /** @param {HTMLAnchorElement} link */
  #show(link) {
    const links = this.#links;
    const at = links.indexOf(link);
    const small = find(link, "img", HTMLImageElement);
    this.#shown = link;
    this.#image.src = link.href;
    this.#image.alt = small.alt;
    this.#caption.textContent = fill(gettext("%(name)s (%(number)s of %(count)s)"), {
      name: small.alt,
      number: at + 1,
      count: links.length,
    });
    this.#download.href = link.href;
    this.#download.download = small.alt;
    const focused = document.activeElement;
    this.#before.disabled = at <= 0;
    this.#after.disabled = at >= links.length - 1;
    if (focused === this.#before && at <= 0) this.#after.focus();
    if (focused === this.#after && at >= links.length - 1) this.#before.focus();
  }

  /** @returns {HTMLAnchorElement[]} */
  get #links() {
    return [...this.#log.querySelectorAll("a.picture")].filter((link) => link instanceof HTMLAnchorElement);
  }
}
