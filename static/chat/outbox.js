const ENTRIES_MAX = 100;

const WORDS = { waiting: "Waiting to be sent", sent: "Sending…", doubtful: "May not have arrived" };

/**
 * What the reader has written and the room has not echoed yet, oldest first.
 *
 * An entry is "waiting" for a connection, "sent", or "doubtful": sent over a connection that was lost before the echo
 * came. Sending a doubtful one again could say it twice, so that is left to the person.
 */
export class ChatOutbox extends HTMLElement {
  /** Hands a text to the connection; returns whether it went out. */
  transmit = () => false;

  #entries = [];

  get full() {
    return this.#entries.length >= ENTRIES_MAX;
  }

  add(text) {
    const entry = { text, state: "waiting", line: document.createElement("div") };
    this.#entries.push(entry);
    this.append(entry.line);
    this.#send(entry);
  }

  /** Send what has been waiting for a connection. */
  flush() {
    for (const entry of this.#entries) if (entry.state === "waiting") this.#send(entry);
  }

  /** The connection is lost: what was sent and not echoed may or may not have arrived. */
  doubt() {
    for (const entry of this.#entries) if (entry.state === "sent") this.#enter(entry, "doubtful");
  }

  /** The room has echoed a text of the reader's, whose end is what was sent: the server may put something before it. */
  confirm(text) {
    const sent = this.#entries.filter((entry) => entry.state === "sent");
    const entry = sent.find((candidate) => text.endsWith(candidate.text.trim())) ?? sent[0];
    if (entry) this.#remove(entry);
  }

  /** The server has refused what was sent: gives the text back, or null if nothing was under way. */
  takeBack() {
    const entry = this.#entries.find((candidate) => candidate.state === "sent");
    if (!entry) return null;
    this.#remove(entry);
    return entry.text;
  }

  #send(entry) {
    this.#enter(entry, this.transmit(entry.text) ? "sent" : "waiting");
  }

  #enter(entry, state) {
    entry.state = state;
    entry.line.className = "message own pending";
    const bubble = document.createElement("div");
    bubble.className = "bubble";
    const text = document.createElement("p");
    text.className = "text";
    text.dir = "auto";
    text.textContent = entry.text;
    const meta = document.createElement("span");
    meta.className = "meta";
    meta.append(WORDS[state]);
    if (state === "doubtful") {
      meta.append(" ", button("Send again", () => this.#send(entry)), " ", button("Remove", () => this.#remove(entry)));
    }
    bubble.append(text, meta);
    entry.line.replaceChildren(bubble);
  }

  #remove(entry) {
    this.#entries.splice(this.#entries.indexOf(entry), 1);
    entry.line.remove();
  }
}

function button(label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "quiet";
  made.textContent = label;
  made.addEventListener("click", act);
  return made;
}
