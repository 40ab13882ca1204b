// @ts-check

import { NOT_CONNECTED } from "./connection/errors.js";
import { isWordless } from "./files/attachment.js";
import { gettext } from "./translation.js";
import { isBlank } from "./unseen.js";

/** @import { Composer } from "./composer/composer.js" */
/** @import { Connection } from "./connection/connection.js" */
/** @import { ServerError } from "./connection/errors.js" */
/** @import { Message } from "./log/message.js" */

/** The reader's edits of what they said themselves. */
export class Editing {
  #composer;
  #connection;
  #edits = 0;
  /**
   * The edit that was sent last, until it is answered.
   *
   * @type {{ request: string, message: Message, text: string } | null}
   */
  #sent = null;

  /**
   * @param {Composer} composer
   * @param {Connection} connection
   */
  constructor(composer, connection) {
    this.#composer = composer;
    this.#connection = connection;
  }

  /**
   * Let the reader write another text for a message.
   *
   * @param {Message} message
   * @param {string} [text] what they have of it so far
   */
  begin(message, text = wordsOf(message)) {
    this.#composer.begin({
      title: gettext("Edit your message"),
      about: message.text,
      text,
      mayBeBlank: message.attachments.length > 0,
      take: (edited) => this.#take(message, edited),
    });
  }

  /**
   * An edit has failed: the reader can go on with it.
   *
   * @param {ServerError} error
   * @returns {boolean} whether it is about an edit
   */
  fail({ request, text }) {
    const sent = this.#sent;
    if (sent === null || request !== sent.request) return false;
    this.#sent = null;
    this.begin(sent.message, sent.text);
    this.#composer.showError(text);
    return true;
  }

  /**
   * @param {Message} message
   * @param {string} text
   */
  #take(message, text) {
    if (text === wordsOf(message) || (isBlank(text) && isWordless(message))) return "";
    const request = `edit ${++this.#edits}`;
    if (!this.#connection.send({ edit: message.offset, message: text, request })) return NOT_CONNECTED;
    this.#sent = { request, message, text };
    return "";
  }
}

/**
 * The text of a message, without one that only stands for its files.
 *
 * @param {Message} message
 */
function wordsOf(message) {
  return isWordless(message) ? "" : message.text;
}
