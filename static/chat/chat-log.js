const LINES_MAX = 2_000;
const TURN_BREAK = 5 * 60_000;
const TONES = 8;

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/**
 * What was said in a room, oldest first. Takes messages as message.js reads them.
 *
 * The children are flat: a `.day` before the first message of each day, and one `.message` or `.notice-line` per
 * message. The first child is always a `.day`. A message that carries on its sender's turn is `.continued`.
 */
export class ChatLog extends HTMLElement {
  /** The id of the person reading, whose own messages are told apart. */
  readerId = null;
  /** Whether the process and thread a message came from are shown as text. */
  showOrigin = false;

  #latest = null;

  /** The transcript as plain text: what was said, each followed by a newline, without names and times. */
  get value() {
    return Array.from(this.querySelectorAll(".text"), (text) => `${text.textContent}\n`).join("");
  }

  add(message) {
    const sameDay = this.#latest !== null && day(this.#latest) === day(message);
    if (!sameDay) this.append(dayLine(message));
    this.append(message.kind === "greeting" ? this.#noticeLine(message) : this.#messageLine(message));
    this.#latest = message;
    this.#trim();
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
    line.classList.toggle("continued", this.#continues(message));
    line.dataset.tone = tone(message.userId ?? message.userName);
    const bubble = element("div", "bubble");
    bubble.append(textOf(message), this.#meta(message));
    line.append(avatar(message), element("bdi", "author", own ? "You" : message.userName), bubble);
    return line;
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

  #continues(message) {
    const before = this.#latest;
    return (
      before?.kind === "message" &&
      before.userId === message.userId &&
      before.userName === message.userName &&
      day(before) === day(message) &&
      message.sentAt - before.sentAt < TURN_BREAK
    );
  }

  #trim() {
    while (this.childElementCount > LINES_MAX) {
      this.children[1].remove();
      const oldest = this.children[1];
      if (oldest.matches(".day")) this.firstElementChild.remove();
      else oldest.classList.remove("continued");
    }
  }
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
