// @ts-check

import { element } from "../elements.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */

/** @typedef {{ id: string, name: string, username?: string }} Candidate a username that isn't the name is told, too */

const WORD = /(?:^|[^\p{L}\p{N}_@/.+-])@("?)([^\s@"]{0,40}|(?<=")[^"\n]{0,40})$/u; // before the caret: @an, @"Quiet O
const QUESTION = "completion"; // how the ids of these questions begin
const PLAIN = /^[\p{L}\p{N}_.@+-]+$/u; // names that need no quotes

/**
 * Completes names after an `@`: a list of people above the composer, of whom one is chosen by the keys or a press.
 *
 * The input keeps the focus; it says by ARIA which option is the one that Enter takes.
 */
export class MentionCompletion {
  #input;
  #list;
  #ask;
  #questions = 0;
  /** @type {Candidate[]} */
  #candidates = [];
  #active = 0;

  /**
   * @param {HTMLTextAreaElement} input
   * @param {HTMLElement} list has the role of a listbox
   * @param {(question: Frame) => boolean} ask returns whether the question went out
   */
  constructor(input, list, ask) {
    this.#input = input;
    this.#list = list;
    this.#ask = ask;
    input.addEventListener("input", () => this.#look());
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.#keyDown(event), { capture: true });
    list.addEventListener("pointerdown", (event) => this.#press(event));
  }

  /**
   * An answer has come.
   *
   * @param {Frame} frame
   */
  receive({ people, request }) {
    if (request !== this.#request || this.#word() === null) return;
    this.#candidates = people;
    this.#active = 0;
    this.#show();
  }

  /**
   * A question has failed: then there is nobody to choose.
   *
   * @param {ServerError} error
   * @returns {boolean} whether it is about one of these
   */
  fail({ request }) {
    return request?.startsWith(QUESTION) ?? false;
  }

  close() {
    this.#candidates = [];
    this.#show();
  }

  get #request() {
    return `${QUESTION} ${this.#questions}`;
  }

  /** The word between the `@` and the caret; null where there is no such word. */
  #word() {
    const { value, selectionStart, selectionEnd } = this.#input;
    if (selectionStart !== selectionEnd) return null;
    return value.slice(Math.max(0, selectionStart - 50), selectionStart).match(WORD);
  }

  #look() {
    const word = this.#word();
    this.#questions += 1;
    if (word === null || !this.#ask({ complete: word[2] ?? "", request: this.#request })) this.close();
  }

  #show() {
    const options = this.#candidates.map(({ name, username }, index) => {
      const option = element("li", "candidate");
      option.append(element("bdi", "", name));
      if (username) option.append(" ", element("bdi", "muted", `@${username}`));
      option.role = "option";
      option.id = `${this.#list.id}-${index}`;
      option.ariaSelected = String(index === this.#active);
      return option;
    });
    this.#list.replaceChildren(...options);
    this.#list.hidden = options.length === 0;
    const active = options[this.#active];
    if (active) this.#input.setAttribute("aria-activedescendant", active.id);
    else this.#input.removeAttribute("aria-activedescendant");
    active?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  #keyDown(event) {
    const count = this.#candidates.length;
    if (count === 0 || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    if (event.key === "ArrowDown") this.#active = (this.#active + 1) % count;
    else if (event.key === "ArrowUp") this.#active = (this.#active + count - 1) % count;
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#active);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation(); // the composer has other uses for these keys
    this.#show();
  }

  /** @param {PointerEvent} event */
  #press(event) {
    event.preventDefault(); // or the input would lose the focus
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (option) this.#choose(Array.from(this.#list.children).indexOf(option));
  }

  /** @param {number} index */
  #choose(index) {
    const candidate = this.#candidates[index];
    const word = this.#word();
    this.close();
    if (candidate === undefined || word === null) return;
    const name = callable(candidate);
    const end = this.#input.selectionStart;
    const begin = end - (word[1] ?? "").length - (word[2] ?? "").length;
    this.#input.setRangeText(`${PLAIN.test(name) ? name : `"${name}"`} `, begin, end, "end");
    this.#input.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
}

/**
 * The name by which a text can call somebody: nothing can stand for a quotation mark in it.
 *
 * @param {Candidate} candidate
 */
function callable({ name, username }) {
  return name.includes('"') && username ? username : name;
}
