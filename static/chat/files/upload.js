// @ts-check

import { gettext } from "../translation.js";
import { readAttachment } from "./attachment.js";

/** @import { Attachment } from "./attachment.js" */

// Milliseconds before a failed upload begins anew by itself.
const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

const FAILED = gettext("The upload failed.");
const AWAY = gettext("The upload was interrupted. It begins again by itself.");
const UNREADABLE = gettext("It can’t be read. It may be a folder, or was changed or moved after it was chosen.");

/**
 * The state of an upload: it waits for its turn, is under way, is interrupted and begins again by itself, is refused,
 * or is done.
 *
 * @typedef {"waiting" | "uploading" | "interrupted" | "refused" | "done"} UploadState
 */

/** One file on its way to the server. `change` is dispatched whenever anything about it is another. */
export class Upload extends EventTarget {
  /** @type {UploadState} */
  state = "waiting";
  /** The part of the file that has been sent, 0 to 1. */
  progress = 0;
  /** What is wrong, in words. */
  fault = "";
  /**
   * The server's answer, once it is done.
   *
   * @type {Attachment | null}
   */
  attachment = null;
  cancelled = false;

  #address;
  #token;
  #attempts = 0;
  /** @type {XMLHttpRequest | null} */
  #request = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #pause;

  /**
   * @param {File} file
   * @param {string} address
   * @param {() => string} token gives the token that Django wants with a POST
   */
  constructor(file, address, token) {
    super();
    this.file = file;
    this.#address = address;
    this.#token = token;
  }

  get name() {
    return this.file.name;
  }

  get size() {
    return this.file.size;
  }

  /** Whether it takes the line now, or will without the reader. */
  get pending() {
    return this.state === "waiting" || this.state === "uploading" || this.state === "interrupted";
  }

  begin() {
    clearTimeout(this.#pause);
    const request = new XMLHttpRequest(); // fetch tells nothing of what has been sent
    this.#request = request;
    request.open("POST", this.#address);
    request.setRequestHeader("X-CSRFToken", this.#token());
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => {
      this.progress = total > 0 ? loaded / total : 0;
      this.#changed();
    });
    request.addEventListener("load", () => this.#answered(request));
    request.addEventListener("error", () => {
      this.#interrupted(null);
      this.#checkFile();
    });
    request.addEventListener("timeout", () => this.#interrupted(null));
    const body = new FormData();
    body.append("file", this.file, this.file.name);
    this.progress = 0;
    this.fault = "";
    this.#to("uploading");
    request.send(body);
  }

  /** Let it wait for another turn: the reader wants it again, or there is a connection again. */
  retry() {
    if (this.state !== "interrupted" && this.state !== "refused") return;
    clearTimeout(this.#pause);
    this.fault = "";
    this.#to("waiting");
  }

  /** The reader doesn't want it any more. */
  cancel() {
    this.cancelled = true;
    clearTimeout(this.#pause);
    this.#request?.abort();
    this.#changed();
  }

  /** @param {XMLHttpRequest} request */
  #answered({ status, responseText }) {
    const answer = parsed(responseText);
    const attachment = status >= 200 && status < 300 ? readAttachment(answer) : null;
    if (attachment !== null) {
      this.attachment = attachment;
      this.progress = 1;
      this.#to("done");
      return;
    }
    const retryAfter = Number.isFinite(answer?.retry_after) ? answer.retry_after : null;
    const passes = status >= 500 || (status === 429 && (retryAfter ?? 0) * 1000 <= LONGEST_PAUSE);
    if (passes) this.#interrupted(retryAfter);
    else {
      this.fault = typeof answer?.message === "string" ? answer.message : FAILED;
      this.#to("refused");
    }
  }

  /** @param {number | null} retryAfter seconds */
  #interrupted(retryAfter) {
    const pause = retryAfter !== null ? retryAfter * 1000 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#attempts);
    this.#attempts += 1;
    this.fault = AWAY;
    this.#pause = setTimeout(() => this.retry(), pause);
    this.#to("interrupted");
  }

  /** A file that can't be read fails as a connection does, and would each time. */
  async #checkFile() {
    const readable = await this.file
      .slice(0, 1)
      .arrayBuffer()
      .then(
        () => true,
        () => false,
      );
    if (readable || this.state !== "interrupted") return;
    clearTimeout(this.#pause);
    this.fault = UNREADABLE;
    this.#to("refused");
  }

  /** @param {UploadState} state */
  #to(state) {
    this.state = state;
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a proxy's own page
  }
}
