// @ts-check

import { gettext } from "../translation.js";
import { quickReactions } from "./quick-reactions.js";

/** @import { Composer } from "../composer/composer.js" */
/** @import { Message } from "../log/message.js" */
/** @import { MessageMenu } from "../log/message-menu.js" */
/** @import { Standing } from "../standing.js" */
/** @import { EmojiPicker } from "./emoji-picker.js" */
/** @import { Reactions } from "./reactions.js" */

/** The ways in which the reader reacts to a message: with an emoji at hand, or one chosen among all. */
export class Reacting {
  #reactions;
  #standing;
  #composer;
  #dialog;
  /**
   * Loaded when it is first wanted.
   *
   * @type {Promise<EmojiPicker> | null}
   */
  #picker = null;

  /**
   * @param {Reactions} reactions
   * @param {Standing} standing
   * @param {Composer} composer says what is wrong
   * @param {HTMLDialogElement} dialog the picker's
   */
  constructor(reactions, standing, composer, dialog) {
    this.#reactions = reactions;
    this.#standing = standing;
    this.#composer = composer;
    this.#dialog = dialog;
  }

  /**
   * React with an emoji, or no longer.
   *
   * @param {Message} message
   * @param {string} emoji
   */
  react(message, emoji) {
    const { fault } = this.#standing;
    if (fault === "") this.#reactions.toggle(message, emoji);
    else this.#composer.showError(fault);
  }

  /**
   * Have the reader choose among all emoji.
   *
   * @param {Message} message
   */
  async choose(message) {
    this.#picker ??= import("./emoji-picker.js").then(({ EmojiPicker }) => new EmojiPicker(this.#dialog));
    try {
      (await this.#picker).open((emoji) => this.react(message, emoji));
    } catch {
      this.#picker = null;
      this.#composer.showError(gettext("The list of all emoji didn’t load. Try again."));
    }
  }

  /**
   * Offer some emoji at the top of each message's menu.
   *
   * @param {MessageMenu} menu
   */
  leadMenu(menu) {
    menu.lead = (message) =>
      quickReactions(this.#reactions.shown(message), (emoji) => {
        menu.close();
        if (emoji === null) this.choose(message);
        else this.react(message, emoji);
      });
  }
}
