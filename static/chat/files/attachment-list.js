// @ts-check

import { element } from "../elements.js";
import { fill, gettext } from "../translation.js";
import { factsOf, kindOf } from "./attachment.js";
import { resumeWhenInterrupted } from "./resuming.js";
import { holdStill } from "./still.js";

/** @import { Attachment } from "./attachment.js" */

/** The selector of a picture in the log, which opens the lightbox, and of other files. */
export const FILE = "a.picture, a.file";

// Pixels at most of a picture that stands alone. Several stand in squares.
const WIDTH_MAX = 360;
const HEIGHT_MAX = 300;

/**
 * The elements that show the files of a message: pictures, then players, then downloads.
 *
 * @param {Attachment[]} attachments
 * @returns {HTMLElement[]}
 */
export function attachmentList(attachments) {
  if (attachments.length === 0) return [];
  const files = element("div", "files");
  const pictures = attachments.filter((one) => kindOf(one) === "picture");
  if (pictures.length > 0) {
    const grid = element("div", pictures.length === 1 ? "pictures" : "pictures several");
    grid.append(...pictures.map(pictureLink));
    files.append(grid);
  }
  for (const attachment of attachments) {
    const kind = kindOf(attachment);
    if (kind === "audio" || kind === "video") files.append(player(kind, attachment));
    else if (kind === "file") files.append(download(attachment));
  }
  return [files];
}

/**
 * A picture in the size that it will have: nothing moves when it is loaded.
 *
 * @param {Attachment} attachment
 */
function pictureLink({ name, type, url, preview }) {
  const link = element("a", "picture");
  link.href = url;
  link.tabIndex = -1; // as the buttons of a message: the arrow keys lead there
  const image = element("img", "");
  image.alt = name;
  image.loading = "lazy";
  image.decoding = "async";
  holdStill(image, type);
  if (preview) {
    const { width, height } = fitted(preview);
    image.width = width;
    image.height = height;
    image.style.aspectRatio = `${preview.width} / ${preview.height}`; // exactly: the attributes are rounded
    image.src = preview.url;
  }
  link.append(image);
  return link;
}

/**
 * @param {{ width: number, height: number }} size
 */
export function fitted({ width, height }) {
  const scale = Math.min(1, WIDTH_MAX / width, HEIGHT_MAX / height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/**
 * @param {"audio" | "video"} kind
 * @param {Attachment} attachment
 */
function player(kind, attachment) {
  const figure = element("figure", "player");
  const media = document.createElement(kind);
  media.controls = true;
  media.preload = "metadata";
  media.src = attachment.url;
  media.ariaLabel = attachment.name;
  resumeWhenInterrupted(media);
  const caption = element("figcaption", "");
  caption.append(download(attachment));
  figure.append(media, caption);
  return figure;
}

/** @param {Attachment} attachment */
function download(attachment) {
  const link = element("a", "file");
  link.href = attachment.url;
  link.download = attachment.name;
  link.tabIndex = -1;
  link.title = fill(gettext("Download %(name)s"), { name: attachment.name });
  link.append(element("bdi", "file-name", attachment.name), " ", element("span", "file-facts", factsOf(attachment)));
  return link;
}
