// @ts-check

import { element } from "../elements.js";
import { fill, gettext } from "../translation.js";
import { factsOf } from "./attachment.js";
import { drawThumbnail } from "./thumbnail.js";

/** @import { Attachment } from "./attachment.js" */
/** @import { Upload } from "./upload.js" */

/**
 * The line of a file that is to be attached: its picture, name and size, how far it is, and what one can do about it.
 */
export class UploadLine {
  /** Called when the reader doesn't want the file. */
  removed = () => {};

  #bar = element("progress", "upload-progress");
  #fault = element("span", "upload-fault");
  #facts = element("span", "upload-facts");
  #retry = element("button", "quiet", gettext("Try again"));
  #upload;

  /**
   * @param {Upload | null} upload null where it was uploaded before the page was loaded
   * @param {Attachment | null} attachment
   */
  constructor(upload, attachment) {
    this.#upload = upload;
    const name = upload?.name ?? attachment?.name ?? "";
    const size = upload?.size ?? attachment?.size ?? 0;
    this.line = element("li", "upload");
    const picture = element("span", "upload-picture");
    picture.ariaHidden = "true";
    if (upload) drawThumbnail(picture, upload.file);
    else if (attachment?.preview) {
      const image = element("img", "");
      image.src = attachment.preview.url;
      image.alt = "";
      picture.append(image);
    }
    const title = element("bdi", "upload-name", name);
    title.title = name;
    this.#facts.textContent = factsOf({ name, size });
    this.#bar.max = 1;
    this.#bar.ariaLabel = fill(gettext("Upload of %(name)s"), { name });
    this.#fault.role = "alert";
    this.#retry.type = "button";
    this.#retry.addEventListener("click", () => this.#upload?.retry());
    const remove = element("button", "upload-remove quiet", "✕");
    remove.type = "button";
    remove.ariaLabel = remove.title = fill(gettext("Remove %(name)s"), { name });
    remove.addEventListener("click", () => this.removed());
    const words = element("span", "upload-words");
    words.append(title, this.#facts, this.#fault, this.#bar);
    this.line.append(picture, words, this.#retry, remove);
    this.show();
  }

  /** Show how far the upload is. */
  show() {
    const state = this.#upload?.state ?? "done";
    this.line.dataset.state = state;
    this.#bar.hidden = state === "done" || state === "refused";
    if (state === "uploading") this.#bar.value = this.#upload?.progress ?? 0;
    else this.#bar.removeAttribute("value"); // no number is known
    if (this.#fault.textContent !== this.#upload?.fault) this.#fault.textContent = this.#upload?.fault ?? "";
    this.#retry.hidden = state !== "interrupted" && state !== "refused";
  }
}
