// @ts-check

import { fill, gettext, ngettext } from "../translation.js";
import { readAttachments, sizeWords } from "./attachment.js";
import { Upload } from "./upload.js";
import { UploadBatch } from "./upload-batch.js";

/**
 * The server's limits, and its address for uploads.
 *
 * @typedef {object} FileRules
 * @property {string} url
 * @property {number} sizeMax bytes of a file
 * @property {number} perMessage files of a message
 */

/**
 * The files that the reader has chosen for the next message, above the composer. They are uploaded at once; with the
 * message, they are handed on as a batch, finished or not.
 *
 * Those that are uploaded are kept in the tab's storage, as a draft is. Those that aren't are lost with the page.
 */
export class FileTray extends HTMLElement {
  /** Called with words for the reader about files that can't be attached; with "" when all can. */
  refused = (/** @type {string} */ _words) => {};
  /** Gives the token that Django wants with a POST. */
  token = () => "";
  /** Called when the reader has removed a file, and the button that had the focus with it. */
  left = () => {};

  /** @type {FileRules} */
  #rules = { url: "", sizeMax: 0, perMessage: 0 };
  #storageKey = "";
  #batch = this.#newBatch();

  /**
   * @param {FileRules} rules
   * @param {string} key under which the tab keeps what is uploaded
   */
  begin(rules, key) {
    this.#rules = rules;
    this.#storageKey = key;
    for (const attachment of stored(key)) this.#batch.addUploaded(attachment);
    this.#show();
  }

  get empty() {
    return this.#batch.empty;
  }

  /** Whether there are files that would be lost with the page. */
  get uploading() {
    return !this.#batch.ready;
  }

  /**
   * Attach files.
   *
   * @param {Iterable<File>} files
   */
  add(files) {
    const faults = new Set();
    for (const file of files) {
      const fault = this.#faultOf(file);
      if (fault === "") this.#batch.add(new Upload(file, this.#rules.url, this.token));
      else faults.add(fault);
    }
    this.refused([...faults].join(" "));
  }

  /** The files, which are the message's from here on. */
  take() {
    const batch = this.#batch;
    batch.changed = () => {};
    this.#batch = this.#newBatch();
    this.#show();
    return batch;
  }

  /**
   * Put files back whose message wasn't taken.
   *
   * @param {UploadBatch} batch
   */
  restore(batch) {
    if (batch.empty) return;
    for (const attachment of batch.attachments) this.#batch.addUploaded(attachment);
    batch.clear();
  }

  /** @param {File} file */
  #faultOf({ name, size }) {
    const { sizeMax, perMessage } = this.#rules;
    if (this.#batch.size >= perMessage) {
      const words = ngettext(
        "A message can have %(most)s file. Send the others with another one.",
        "A message can have %(most)s files. Send the others with another one.",
        perMessage,
      );
      return fill(words, { most: perMessage });
    }
    if (size <= sizeMax) return "";
    return fill(gettext("“%(name)s” is too large: %(size)s of %(most)s."), {
      name,
      size: sizeWords(size),
      most: sizeWords(sizeMax),
    });
  }

  #newBatch() {
    const batch = new UploadBatch();
    batch.changed = () => this.#show();
    batch.left = () => this.left();
    return batch;
  }

  #show() {
    if (this.firstElementChild !== this.#batch.list) this.replaceChildren(this.#batch.list);
    this.hidden = this.#batch.empty;
    this.#store();
  }

  #store() {
    if (this.#storageKey === "") return;
    try {
      if (this.#batch.attachments.length === 0) sessionStorage.removeItem(this.#storageKey);
      else sessionStorage.setItem(this.#storageKey, JSON.stringify(this.#batch.attachments));
    } catch {
      // Storage is full or forbidden: then the files have to be chosen again on the next page.
    }
  }
}

/** @param {string} key */
function stored(key) {
  try {
    return readAttachments(JSON.parse(sessionStorage.getItem(key) ?? "[]"));
  } catch {
    return [];
  }
}
