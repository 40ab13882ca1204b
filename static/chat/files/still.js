// @ts-check

import { element } from "../elements.js";

const MAY_MOVE = /^image\/(gif|webp|png)$/;

/**
 * Show the first frame alone of a picture that may move, for a reader who wants no motion. The lightbox shows it moving.
 *
 * @param {HTMLImageElement} image
 * @param {string} type
 */
export function holdStill(image, type) {
  if (!MAY_MOVE.test(type) || !matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  image.classList.add("held"); // seen by screen readers alone
  image.addEventListener("load", () => {
    const frame = element("canvas", "still");
    frame.width = image.naturalWidth;
    frame.height = image.naturalHeight;
    frame.getContext("2d")?.drawImage(image, 0, 0); // of one that moves, that is the first frame
    image.after(frame);
  });
}
