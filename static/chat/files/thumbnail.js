// @ts-check

import { element } from "../elements.js";

const EDGE = 96; // pixels
const SIZE_MAX = 25_000_000; // bytes: the browser decodes the whole picture
const SHOWN = /^image\/(jpeg|png|gif|webp|avif)$/;

/**
 * Draw a small picture of a file, if it is one. On a canvas: the page's policy allows no addresses of blobs.
 *
 * @param {HTMLElement} place
 * @param {File} file
 */
export async function drawThumbnail(place, file) {
  if (!SHOWN.test(file.type) || file.size > SIZE_MAX || !("createImageBitmap" in globalThis)) return;
  try {
    const whole = await createImageBitmap(file);
    const side = Math.min(whole.width, whole.height);
    const canvas = element("canvas", "");
    canvas.width = canvas.height = EDGE;
    const left = (whole.width - side) / 2;
    const top = (whole.height - side) / 2;
    canvas.getContext("2d")?.drawImage(whole, left, top, side, side, 0, 0, EDGE, EDGE);
    whole.close();
    place.replaceChildren(canvas);
  } catch {
    // It is none, or a damaged one: the server says so, or takes it as a file.
  }
}
