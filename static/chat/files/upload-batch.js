// @ts-check

import { element } from "../elements.js";
import { gettext } from "../translation.js";
import { UploadLine } from "./upload-line.js";

/** @import { Attachment } from "./attachment.js" */
/** @import { Upload } from "./upload.js" */

const AT_ONCE = 2; // uploads under way in a batch

/**
 * The files of one message until it is sent, with the list that shows them. The list goes where the message goes: from
 * above the composer to the line of a message that waits for its files.
 */
export class UploadBatch {
  /** Called when there are other files, or one of them is further. */
  changed = () => {};
  /** Called when the reader has removed a file, and the button that had the focus with it. */
  left = () => {};

  list = element("ul", "uploads");
  /** @type {Map<UploadLine, Upload | Attachment>} */
  #files = new Map();
  #online = () => this.#retryInterrupted();

  constructor() {
    this.list.ariaLabel = gettext("Files to send");
  }

  get size() {
    return this.#files.size;
  }

  get empty() {
    return this.#files.size === 0;
  }

  /** Whether all files are on the server. */
  get ready() {
    return this.attachments.length === this.#files.size;
  }

  /**
   * Those that are on the server, in the order of their choice.
   *
   * @returns {Attachment[]}
   */
  get attachments() {
    return [...this.#files.values()].flatMap((file) => {
      const attachment = file instanceof EventTarget ? file.attachment : file;
      return attachment === null ? [] : [attachment];
    });
  }

  /** @param {Upload} upload */
  add(upload) {
    const line = this.#enter(new UploadLine(upload, null), upload);
    upload.addEventListener("change", () => {
      line.show();
      this.#beginNext();
      this.changed();
    });
    addEventListener("online", this.#online);
    this.#beginNext();
    this.changed();
  }

  /** @param {Attachment} attachment */
  addUploaded(attachment) {
    this.#enter(new UploadLine(null, attachment), attachment);
    this.changed();
  }

  /** Stop everything, and forget it. */
  clear() {
    for (const line of [...this.#files.keys()]) this.#remove(line);
    removeEventListener("online", this.#online);
  }

  /**
   * @param {UploadLine} line
   * @param {Upload | Attachment} file
   */
  #enter(line, file) {
    line.removed = () => {
      this.#remove(line);
      this.left();
      this.changed();
    };
    this.#files.set(line, file);
    this.list.append(line.line);
    return line;
  }

  /** @param {UploadLine} line */
  #remove(line) {
    const file = this.#files.get(line);
    this.#files.delete(line);
    line.line.remove();
    if (file instanceof EventTarget) file.cancel();
  }

  #beginNext() {
    const uploads = this.#uploads;
    let free = AT_ONCE - uploads.filter(({ state }) => state === "uploading").length;
    for (const upload of uploads) {
      if (free <= 0) return;
      if (upload.state !== "waiting") continue;
      free -= 1;
      upload.begin();
    }
  }

  #retryInterrupted() {
    for (const upload of this.#uploads) if (upload.state === "interrupted") upload.retry();
  }

  /** @returns {Upload[]} */
  get #uploads() {
    return [...this.#files.values()].filter((file) => file instanceof EventTarget);
  }
}
