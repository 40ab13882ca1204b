// @ts-check

import { changedQuote, quoteOf } from "./log/quote.js";
import { fill, gettext } from "./translation.js";

/** @import { Composer } from "./composer/composer.js" */
/** @import { Topic } from "./composer/topic.js" */
/** @import { Message } from "./log/message.js" */
/** @import { Quote } from "./log/quote.js" */

const DELETED = gettext("The message that you were replying to is deleted. What you send now is no reply.");

/** The reader's replies: what they write next quotes a message. */
export class Replying {
  #composer;
  #post;
  /** @type {Quote | null} */
  #quote = null;
  /** @type {Topic | null} */
  #topic = null;

  /**
   * @param {Composer} composer
   * @param {(text: string, quote: Quote) => string} post as the composer's
   */
  constructor(composer, post) {
    this.#composer = composer;
    this.#post = post;
  }

  /**
   * Let the reader reply to a message.
   *
   * @param {Message} message
   */
  begin(message) {
    this.#composer.begin(this.#topicOf(quoteOf(message)));
  }

  /**
   * A message has changed, perhaps the one that is replied to.
   *
   * @param {number | null} offset
   * @param {Partial<Message>} change
   */
  noteChange(offset, change) {
    if (this.#topic === null || this.#composer.topic !== this.#topic || this.#quote?.offset !== offset) return;
    if (!change.deleted) {
      this.#composer.topic = this.#topicOf(changedQuote(this.#quote, change));
      return;
    }
    this.#composer.topic = null;
    this.#composer.showError(DELETED);
  }

  /**
   * @param {Quote} quote
   * @returns {Topic}
   */
  #topicOf(quote) {
    this.#quote = quote;
    this.#topic = {
      title:
        quote.userName === null
          ? gettext("Reply to a message")
          : fill(gettext("Reply to %(name)s"), { name: quote.userName }),
      about: quote.text ?? "",
      take: (text) => this.#post(text, quote),
    };
    return this.#topic;
  }
}
