const LINES_MAX = 2_000;
const TURN_BREAK = 5 * 60_000;
const TONES = 8;
const QUIET = 500;
const STARTED_OVER =
  "Not all that was said while you were away is shown. Scroll up for the rest, as far as it is kept.";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/**
 * What was said in a room, oldest first. Takes messages as message.js reads them.
 *
 * The children are flat: a `.day` before the first message of each day, and one `.message` or `.notice-line` per
 * message. The first child is always a `.day`. A message that carries on its sender's turn is `.continued`. A deletion
 * has no line; the message that it names loses its text.
 */
export class ChatLog extends HTMLElement {
  /** The id of the person reading, whose own messages are told apart. */
  readerId = null;
  /** Whether the process and thread a message came from are shown as text. */
  showOrigin = false;

  /** Asks for the deletion of the message at an offset. */
  askToDelete = () => {};

  #messages = new WeakMap(); // by line
  #firstOffset = null;
  #moderates = false;

  /** Whether the reader may delete what others have said. */
  set moderates(moderates) {
    if (moderates === this.#moderates) return;
    this.#moderates = moderates;
    for (const line of [...this.children]) {
      const message = this.#messages.get(line);
      if (message) this.#replace(line, message);
    }
  }

  /** The transcript as plain text: what was said, each followed by a newline, without names and times. */
  get value() {
    return Array.from(this.querySelectorAll(".text"), (text) => `${text.textContent}\n`).join("");
  }

  /** The lowest offset that has been added, null if there is none. */
  get firstOffset() {
    return this.#firstOffset;
  }

  /** Show a message after all others. */
  add(message) {
    this.#firstOffset ??= message.offset;
    if (message.kind === "deletion") this.#blank(message.target);
    else this.append(...this.#lines(message, this.#messages.get(this.lastElementChild)));
  }

  /** Show messages, the oldest first, before all others. */
  addOlder(entries) {
    if (entries.length === 0) return;
    this.#firstOffset = entries[0].offset;
    const messages = entries.filter(({ kind }) => kind !== "deletion"); // what they delete came without its text
    if (messages.length === 0) return;
    this.#keepQuiet();
    const lines = messages.flatMap((message, index) => this.#lines(message, messages[index - 1]));
    this.#join(messages.at(-1));
    this.prepend(...lines);
  }

  clear() {
    this.replaceChildren();
    this.#firstOffset = null;
  }

  /** Let go of the oldest messages if there are too many. Returns whether there were. */
  trim() {
    const tooMany = this.childElementCount > LINES_MAX;
    if (!tooMany) return false;
    while (this.childElementCount > LINES_MAX) {
      this.children[1].remove();
      const oldest = this.children[1];
      if (oldest.matches(".day")) this.firstElementChild.remove();
      else oldest.classList.remove("continued");
    }
    const offsets = Array.from(this.children, (line) => this.#messages.get(line)?.offset);
    this.#firstOffset = offsets.find(Number.isInteger) ?? null;
    return true;
  }

  /** Take the text of the message at an offset from the screen, if it is there. */
  #blank(offset) {
    const line = Array.from(this.children).find((line) => this.#messages.get(line)?.offset === offset);
    if (!line) return;
    const hadFocus = line.contains(document.activeElement);
    const message = { ...this.#messages.get(line), text: "", deleted: true };
    this.#replace(line, message);
    if (hadFocus) this.closest("[tabindex]").focus();
  }

  #replace(line, message) {
    const other = this.#line(message);
    other.classList.toggle("continued", line.classList.contains("continued"));
    this.#messages.set(other, message);
    line.replaceWith(other);
  }

  /** Fit the first message to the one that is about to stand before it. */
  #join(before) {
    const first = this.children[1];
    if (!first) return;
    const message = this.#messages.get(first);
    first.classList.toggle("continued", continues(message, before));
    if (day(message) === day(before)) this.firstElementChild.remove();
  }

  /** Screen readers read out what is added to a log. What is old is not news. */
  #keepQuiet() {
    this.ariaLive = "off";
    setTimeout(() => {
      this.ariaLive = "polite";
    }, QUIET);
  }

  #lines(message, before) {
    const line = this.#line(message);
    this.#messages.set(line, message);
    line.classList.toggle("continued", continues(message, before));
    return before && day(before) === day(message) ? [line] : [dayLine(message), line];
  }

  #line(message) {
    if (message.kind === "start_over") return element("div", "notice-line started-over", STARTED_OVER);
    return ["greeting", "notice"].includes(message.kind) ? this.#noticeLine(message) : this.#messageLine(message);
  }

  #noticeLine(message) {
    const line = element("div", "notice-line");
    line.append(textOf(message), " ", this.#meta(message));
    return line;
  }

  #messageLine(message) {
    const own = message.userId !== null && message.userId === this.readerId;
    const line = element("div", "message");
    line.classList.toggle("own", own);
    line.dataset.tone = tone(message.userId ?? message.userName);
    const bubble = element("div", "bubble");
    if (message.deleted) bubble.append(element("p", "gone", "Deleted"), this.#meta(message));
    else bubble.append(textOf(message), this.#meta(message));
    if (this.#mayDelete(message, own)) bubble.append(this.#deleteButton(message.offset));
    line.append(avatar(message), element("bdi", "author", own ? "You" : message.userName), bubble);
    return line;
  }

  #mayDelete(message, own) {
    return message.offset !== null && !message.deleted && (own || this.#moderates);
  }

  /** Deletes when it is pressed a second time, as long as it keeps the focus. */
  #deleteButton(offset) {
    const button = element("button", "delete quiet", "Delete");
    button.type = "button";
    button.addEventListener("click", () => {
      button.focus(); // which Safari doesn't do by itself
      if (button.dataset.sure) this.askToDelete(offset);
      button.dataset.sure = "yes";
      button.textContent = "Really delete?";
    });
    button.addEventListener("blur", () => {
      delete button.dataset.sure;
      button.textContent = "Delete";
    });
    return button;
  }

  #meta(message) {
    const time = element("time", "time", clock.format(message.sentAt));
    time.dateTime = message.sentAt.toISOString();
    time.title = fullDate.format(message.sentAt);
    const meta = element("span", "meta");
    meta.append(time);
    if (message.origin !== null) {
      const origin = `process ${message.origin.process}, thread ${message.origin.thread}`;
      time.title += ` (${origin})`;
      if (this.showOrigin) meta.append(" · ", element("span", "origin", origin));
    }
    return meta;
  }
}

function continues(message, before) {
  return (
    before?.kind === "message" &&
    message.kind === "message" &&
    before.userId === message.userId &&
    before.userName === message.userName &&
    day(before) === day(message) &&
    message.sentAt - before.sentAt < TURN_BREAK
  );
}

function day(message) {
  return message.sentAt.toDateString();
}

function dayLine(message) {
  return element("div", "day", calendar.format(message.sentAt));
}

function avatar(message) {
  const circle = element("span", "avatar", [...message.userName][0].toUpperCase());
  circle.ariaHidden = "true";
  return circle;
}

function textOf(message) {
  const text = element("p", "text", message.text);
  text.dir = "auto";
  return text;
}

/** One of the style sheet's tones, the same every time for the same person. */
function tone(person) {
  return Array.from(person).reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 65_521, 7) % TONES;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}
