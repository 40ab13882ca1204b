// @ts-check

import { find } from "../elements.js";
import { fill, gettext, ngettext } from "../translation.js";
import { isBlank } from "../unseen.js";
import { ComposerTopic } from "./topic.js";

/** @import { Draft } from "./draft.js" */
/** @import { Topic } from "./topic.js" */

const MEASURED_MAX = 10_000; // UTF-16 units: more fills the input anyway, and a million would take seconds to measure
const LINES_MAX = 10_000; // Chromium takes seconds to lay out more

/**
 * Where a message is written.
 *
 * With a keyboard, Enter sends and Shift + Enter starts a new line. On a touch screen Enter starts a new line, as those
 * keyboards have no Shift + Enter, and the button sends. Ctrl + Enter and ⌘ + Enter send everywhere.
 *
 * With a topic, the text goes to that; Escape drops it.
 */
export class Composer {
  /** Called when the reader wants to edit what they said last, by the arrow up in an empty input. */
  editLast = () => {};
  /** Whether files go with the next message, which then needs no text. */
  hasFiles = () => false;

  #input;
  #topic;
  /** The text that was being written before a topic that has one of its own. */
  #kept = "";
  #error;
  #hint;
  #messageMax;
  #draft;
  #post;
  #touch = matchMedia("(hover: none) and (pointer: coarse)");

  /**
   * @param {HTMLFormElement} form
   * @param {number} messageMax code points
   * @param {Draft} draft
   * @param {(text: string) => string} post takes each text that isn't too long, nor blank where no files go with it;
   *   returns what is wrong, in words, or "" once it has taken the text
   */
  constructor(form, messageMax, draft, post) {
    this.#input = find(form, "textarea", HTMLTextAreaElement);
    this.#error = find(form, "[role=alert]", HTMLElement);
    this.#hint = find(form, ".hint", HTMLElement);
    this.#topic = find(form, "composer-topic", ComposerTopic);
    this.#topic.dropped = () => this.#drop();
    this.#messageMax = messageMax;
    this.#draft = draft;
    this.#post = post;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#input.addEventListener("beforeinput", (event) => {
      const data = event.data ?? "";
      if (this.#isTooMuch(data)) {
        event.preventDefault();
        this.showError([this.#tooLong(data), gettext("It was left out.")].join(" "));
        return;
      }
      // Chromium lays a text out before it says that it is there.
      this.#relieve(this.#input.value.length + data.length);
    });
    this.#input.addEventListener("input", () => {
      this.#keep(this.#input.value);
      this.showError(this.#tooLong(this.#input.value));
    });
    this.#input.addEventListener("keydown", (event) => {
      if (this.#topic.topic !== null && event.key === "Escape" && !isComposing(event)) this.#drop();
      else if (this.#input.value === "" && this.#topic.topic === null && isPlain(event, "ArrowUp")) this.editLast();
      else if (this.#sends(event)) this.#submit();
      else return;
      event.preventDefault();
    });
    this.#touch.addEventListener("change", () => this.#explain());
    this.#explain();
    this.#write(draft.text);
    this.showError(this.#tooLong(draft.text));
    this.focus();
  }

  focus() {
    this.#input.focus();
  }

  /**
   * Let one type without a click: a key that is pressed nowhere, or on the scroller, lands in the input.
   *
   * @param {HTMLElement} scroller
   */
  takeKeys(scroller) {
    document.addEventListener("keydown", (event) => {
      const elsewhere = document.activeElement !== document.body && document.activeElement !== scroller;
      const printable = [...event.key].length === 1 && event.key !== " ";
      if (elsewhere || !printable || event.ctrlKey || event.metaKey || event.altKey) return;
      this.focus();
    });
  }

  /** @param {string} text */
  showError(text) {
    this.#error.textContent = text;
    this.#input.setAttribute("aria-invalid", String(text !== ""));
  }

  /**
   * Put a text back that was not taken, before what is being written.
   *
   * @param {string} text
   */
  restore(text) {
    this.#write(this.#input.value === "" ? text : `${text}\n${this.#input.value}`);
  }

  /** The topic, if there is one. */
  get topic() {
    return this.#topic.topic;
  }

  /** To be set to another that leaves alone what is being written, or to none. */
  set topic(topic) {
    this.#topic.topic = topic;
  }

  /**
   * Has the text that is written from here on belong to `topic`, until it is sent or the reader drops it.
   *
   * @param {Topic} topic
   */
  begin(topic) {
    this.#end();
    this.#topic.topic = topic;
    if (topic.text !== undefined) {
      this.#kept = this.#input.value;
      this.#write(topic.text);
    }
    this.showError("");
    this.focus();
  }

  #submit() {
    const text = this.#input.value;
    const topic = this.#topic.topic;
    this.focus();
    const mayBeBlank = topic?.mayBeBlank || (topic?.text === undefined && this.hasFiles()); // an edit takes no files
    if (isBlank(text) && !mayBeBlank) return;
    const fault = this.#tooLong(text) || (topic?.take ?? this.#post)(text);
    if (fault === "") {
      if (topic?.text === undefined) this.#write("");
      this.#end();
    }
    this.showError(fault);
  }

  #drop() {
    this.#end();
    this.showError("");
    this.focus();
  }

  /** Go on with what was being written before the topic, if there is one. */
  #end() {
    const topic = this.#topic.topic;
    this.#topic.topic = null;
    if (topic?.text !== undefined) this.#write(this.#kept);
  }

  /** @param {KeyboardEvent} event */
  #sends(event) {
    if (event.key !== "Enter" || isComposing(event)) return false;
    return event.ctrlKey || event.metaKey || !(event.shiftKey || this.#touch.matches);
  }

  #explain() {
    this.#input.enterKeyHint = this.#touch.matches ? "enter" : "send";
    this.#hint.textContent = this.#touch.matches
      ? gettext("Enter starts a new line, the button sends.")
      : gettext("Enter sends, Shift + Enter starts a new line.");
  }

  /** @param {string} text */
  #tooLong(text) {
    const max = this.#messageMax;
    if (text.length <= max) return "";
    const length = codePoints(text);
    if (length <= max) return "";
    const excess = length - max;
    const words = ngettext(
      "Too long to send: %(length)s of %(max)s characters, %(excess)s too many.",
      "Too long to send: %(length)s of %(max)s characters, %(excess)s too many.",
      excess,
    );
    return fill(words, { length, max, excess });
  }

  /**
   * Whether a text that is pasted or dropped cannot be sent, and would keep the browser busy for seconds.
   *
   * @param {string} text
   */
  #isTooMuch(text) {
    return text.length > LINES_MAX && text.split("\n", LINES_MAX + 1).length > LINES_MAX && this.#tooLong(text) !== "";
  }

  /** @param {string} text */
  #write(text) {
    this.#input.value = text;
    this.#keep(text);
  }

  /**
   * Follow a text that has just come into the input.
   *
   * @param {string} text
   */
  #keep(text) {
    if (this.#topic.topic?.text === undefined) this.#draft.text = text; // an edit is no draft of a message
    this.#fit(text);
  }

  /**
   * Make the input as high as its text, as far as the style sheet lets it.
   *
   * @param {string} text
   */
  #fit(text) {
    this.#input.style.height = "";
    if (this.#relieve(text.length)) return;
    this.#input.style.height = "auto";
    const border = this.#input.offsetHeight - this.#input.clientHeight;
    this.#input.style.height = `${this.#input.scrollHeight + border}px`;
  }

  /**
   * Spare the browser what takes it seconds for a very long text. Returns whether this is one.
   *
   * @param {number} length UTF-16 units
   */
  #relieve(length) {
    return this.#input.classList.toggle("overfull", length > MEASURED_MAX);
  }
}

/**
 * The length of a text as the server counts it, which a string's own, in UTF-16 units, is not.
 *
 * @param {string} text
 */
function codePoints(text) {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/**
 * Whether a key is pressed by itself.
 *
 * @param {KeyboardEvent} event
 * @param {string} key
 */
function isPlain(event, key) {
  return event.key === key && !(event.shiftKey || event.ctrlKey || event.metaKey || event.altKey || isComposing(event));
}

/**
 * Whether a key belongs to an input method; Safari says so only by the key code.
 *
 * @param {KeyboardEvent} event
 */
function isComposing(event) {
  return event.isComposing || event.keyCode === 229;
}
