// @ts-check

import { readError } from "./connection/errors.js";

/** @import { Composer } from "./composer/composer.js" */
/** @import { ChatOutbox } from "./composer/outbox.js" */
/** @import { Frame } from "./connection/connection.js" */
/** @import { ServerError } from "./connection/errors.js" */
/** @import { FileTray } from "./files/file-tray.js" */
/** @import { Reactions } from "./reactions/reactions.js" */

/** @typedef {{ fail: (error: ServerError) => boolean }} Asker tells whether an error is about what it has asked */

/** Takes the server's errors: to the part that has asked, or else to the reader, with the text and the files that weren't taken. */
export class Failures {
  #askers;
  #reactions;
  #outbox;
  #composer;
  #tray;

  /**
   * @param {Asker[]} askers
   * @param {Reactions} reactions
   * @param {ChatOutbox} outbox
   * @param {Composer} composer
   * @param {FileTray} tray
   */
  constructor(askers, reactions, outbox, composer, tray) {
    this.#askers = askers;
    this.#reactions = reactions;
    this.#outbox = outbox;
    this.#composer = composer;
    this.#tray = tray;
  }

  /** @param {Frame} frame of kind "error" */
  take(frame) {
    const error = readError(frame);
    if (error === null) return;
    if (this.#askers.some((asker) => asker.fail(error))) return;
    if (this.#outbox.postpone(error.clientId, error)) return;
    this.#reactions.fail(error);
    if (error.code === "session_ended") return; // which says more once it is known who one is now
    this.#composer.showError(error.text);
    const files = this.#outbox.filesOf(error.clientId);
    const text = this.#outbox.settle(error.clientId);
    if (text !== null) this.#composer.restore(text);
    if (files !== null && error.code !== "no_such_file") this.#tray.restore(files);
  }
}
