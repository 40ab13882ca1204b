// @ts-check

const INTERVAL = 5_000; // milliseconds from one mark to the next: in a busy room, each reader's would be a write
const DELAY = 300; // milliseconds from when something is seen until it counts as read

/**
 * Knows how far the reader has read the room, and tells the server. The messages at the end count as read once the end
 * is seen while the page is visible.
 *
 * A reader who has marked something as unread goes on seeing it; so nothing counts as read until they come back to the
 * page, or say something.
 */
export class ReadMarks {
  /** The reader has read the page up to here. */
  read;
  /** The messages of others after that. */
  unread = 0;

  /**
   * Tells the server; returns whether that went out.
   *
   * @type {(frame: { read: number } | { unread: number }) => boolean}
   */
  send = () => false;
  /** The offset of the last entry of the page. */
  end = () => 0;
  /** Whether the end of the conversation is in view. */
  endInView = () => false;
  /**
   * Called with an offset after which messages are new, and are to be told apart.
   *
   * @type {(read: number) => void}
   */
  markNew = () => {};
  /** `unread` has changed. */
  changed = () => {};

  /** The line "New" is after this offset; null if there is none. */
  #marked;
  /** @type {number | null} the furthest that the server was told, or has told; null before that */
  #told;
  /** The last that the server has told. */
  #confirmed;
  /** @type {number[]} the offsets of the messages that were counted since the server has */
  #counted = [];
  #held = false;
  #sentAt = -INTERVAL;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {object} before
   * @param {number} before.read the offset up to which the room was read before
   * @param {number} before.unread how many messages of others are after that
   * @param {boolean} before.firstVisit the server hasn't noted yet that the reader is here
   */
  constructor({ read, unread, firstVisit }) {
    this.read = this.#confirmed = read;
    this.unread = unread;
    this.#marked = unread > 0 ? read : null;
    this.#told = firstVisit ? null : read;
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.release();
      else this.#flush();
    });
    addEventListener("pagehide", () => this.#flush());
  }

  /** The end has come into view, something has come to it, or the connection is open: look whether more is read. */
  look() {
    if (this.#held || document.visibilityState !== "visible" || !this.endInView()) return;
    this.read = Math.max(this.read, this.end());
    this.#counted = [];
    this.#setUnread(0);
    if (this.#told === null || this.read > this.#told) this.#sendSoon();
  }

  /**
   * Somebody else has said something.
   *
   * @param {number} offset
   */
  count(offset) {
    if (!this.#held && document.visibilityState === "visible" && this.endInView()) return;
    if (this.#marked === null || this.#marked < this.read) {
      this.#marked = this.read;
      this.markNew(this.read);
    }
    this.#counted.push(offset);
    this.#setUnread(this.unread + 1);
  }

  /**
   * Has messages from `offset` on count as unread.
   *
   * @param {number} offset
   */
  markUnread(offset) {
    if (!this.send({ unread: offset })) return;
    this.#told = this.#confirmed = offset - 1;
    this.#hold(offset - 1); // how many these are, the server tells
  }

  /** From now on what is seen counts as read again. */
  release() {
    this.#held = false;
    this.look();
  }

  /**
   * The server tells how far the room is read, perhaps on another device. It tells so a moment later: what has come
   * meanwhile is unread, too.
   *
   * @param {number} read
   * @param {number} unread
   * @param {number} [lastOffset] where the log ended when the server counted; an older instance doesn't say
   */
  take(read, unread, lastOffset = Number.POSITIVE_INFINITY) {
    if (read < this.#confirmed) this.#hold(read); // marked as unread elsewhere
    this.#confirmed = this.#told = read;
    if (read >= this.read) {
      this.read = read;
      this.#counted = this.#counted.filter((offset) => offset > lastOffset);
      this.unread = unread + this.#counted.length;
    }
    this.changed(); // the list of rooms has shown what the server tells
    this.look();
  }

  /** @param {number} read */
  #hold(read) {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#held = true;
    this.read = this.#marked = read;
    this.markNew(read);
  }

  /** @param {number} unread */
  #setUnread(unread) {
    if (unread === this.unread) return;
    this.unread = unread;
    this.changed();
  }

  #sendSoon() {
    if (this.#timer !== undefined) return;
    const wait = Math.max(DELAY, this.#sentAt + INTERVAL - performance.now());
    this.#timer = setTimeout(() => this.#flush(), wait);
  }

  #flush() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sentAt = performance.now();
    if (this.send({ read: this.read })) this.#told = this.read;
  }
}
