// @ts-check

const INTERVAL = 3_000; // milliseconds between two signs; the server forgets one after twice that

/** Tells the server that the reader is typing, while they do, and that they have taken it back. */
export class TypingSign {
  #send;
  #sentAt = Number.NEGATIVE_INFINITY;
  #typing = false;

  /**
   * @param {HTMLTextAreaElement} input
   * @param {(isTyping: boolean) => void} send
   */
  constructor(input, send) {
    this.#send = send;
    // Text that the page itself puts into the input makes no such event.
    input.addEventListener("input", () => this.#note(input.value !== ""));
  }

  /** @param {boolean} isTyping */
  #note(isTyping) {
    if (!isTyping) {
      if (this.#typing) this.#send(false);
      this.#typing = false;
    } else if (performance.now() - this.#sentAt >= INTERVAL) {
      this.#send(true);
      this.#sentAt = performance.now();
      this.#typing = true;
    }
  }
}
