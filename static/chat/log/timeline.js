// @ts-check

import { gettext } from "../translation.js";
import { Jump } from "./jump.js";
import { changeBy } from "./message.js";

/** @import { Frame } from "../connection/connection.js" */
/** @import { ServerError } from "../connection/errors.js" */
/** @import { ChatLog } from "./chat-log.js" */
/** @import { Follower } from "./follower.js" */
/** @import { ChatHistory } from "./history.js" */
/** @import { Part } from "./jump.js" */
/** @import { Message } from "./message.js" */
/** @import { Notice } from "./notice.js" */

const HEARD_MAX = 500; // messages
const FOUND_SHOWN = 3_000; // milliseconds for which a message that was looked for stands out
const MISSING = gettext("That message is not here, or not any more. This is what is nearest to it.");

/**
 * The part of the room's log that is shown: live, with the newest at its end, or an earlier part, which goes on in
 * both directions as the reader scrolls. Messages that come while an earlier part is shown stand there when the reader
 * comes to them.
 *
 * A page that goes to the end of the log was read at some moment between question and answer. Messages since
 * then have been heard: the last of those are kept for that.
 */
export class Timeline {
  /** Whether the newest is shown. */
  live = true;
  /**
   * The messages of the history have come, so that none of them is on its way any more.
   *
   * @type {(messages: Message[]) => void}
   */
  loaded = () => {};

  #log;
  #history;
  #later;
  #follower;
  #notice;
  #jump;
  /** The last offset that was heard. */
  #position;
  /**
   * The last that was heard, without holes.
   *
   * @type {Message[]}
   */
  #heard = [];
  /** The offset after which all is in `#heard`. */
  #heardFrom;
  /** The last offset that had been heard when the last question was asked. */
  #askedAt;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #mark;

  /**
   * @param {object} parts
   * @param {ChatLog} parts.log
   * @param {ChatHistory} parts.history the way to what was said earlier
   * @param {ChatHistory} parts.later the way to what was said later
   * @param {Follower} parts.follower
   * @param {Notice} parts.notice where it is said that a message isn't there
   * @param {(question: Frame) => boolean} ask
   * @param {number} position the last offset that the page has seen
   */
  constructor({ log, history, later, follower, notice }, ask, position) {
    this.#log = log;
    this.#history = history;
    this.#later = later;
    this.#follower = follower;
    this.#notice = notice;
    this.#position = this.#heardFrom = this.#askedAt = position;
    /** @param {Frame} question */
    const note = (question) => {
      this.#askedAt = this.#position;
      return ask(question);
    };
    this.#jump = new Jump(
      note,
      (part) => this.show(part),
      (fault) => this.#notice.say(fault),
    );
    history.start = () => log.firstOffset ?? this.#position + 1;
    history.ask = (before, request) => ask({ before, request });
    later.start = () => log.lastOffset ?? this.#position;
    later.ask = (after, request) => note({ after, request });
    follower.atStart = () => history.load();
    follower.nearEnd = () => later.load();
    follower.wantsEnd = () => this.toNewest();
  }

  /**
   * Show the message at an offset: where it is, or what is around it. If it isn't there, the page says so and shows what
   * is nearest.
   *
   * @param {number} offset
   */
  openAt(offset) {
    this.#notice.say("");
    const { firstOffset, lastOffset } = this.#log;
    const within = firstOffset !== null && lastOffset !== null && firstOffset <= offset && offset <= lastOffset;
    if (within) this.#find(offset);
    else this.#jump.to(offset);
  }

  /** Go to the end of the log. */
  toNewest() {
    if (this.live) this.#follower.toEnd();
    else this.#jump.to(null);
  }

  /**
   * A part of the history has come, to be shown in the place of the one that is.
   *
   * @param {Part} part
   */
  show({ at, messages, earlier, later }) {
    const hadFocus = this.#log.contains(document.activeElement);
    const read = this.#history.read(messages);
    this.loaded(read);
    this.#log.clear();
    this.#log.addOlder(read);
    this.#history.more = earlier;
    this.#setLive(!later);
    if (at === null) this.#follower.toEnd();
    else this.#find(at, hadFocus);
    // Nothing but deletions: there is nothing to scroll to.
    if (read.length > 0 && read.every((message) => changeBy(message) !== null)) this.#history.load();
  }

  /**
   * Something was heard.
   *
   * @param {Message} message
   */
  hear(message) {
    this.#remember(message);
    const change = changeBy(message);
    if (change !== null && message.target !== null) this.#history.noteChange(message.target, change);
    if (this.live) this.#log.add(message);
    else if (change !== null) this.#log.change(message.target, change);
    if (change !== null) return;
    if (this.#follower.following && this.#log.trim()) this.#history.more = true;
    this.#follower.announce();
  }

  /**
   * A page has come, or a part of one.
   *
   * @param {Frame} frame
   */
  answer(frame) {
    if (this.#jump.answer(frame)) return;
    const isLater = this.#later.has(frame.request);
    if (isLater) this.#addLater(frame);
    else this.#addOlder(frame);
  }

  /**
   * A question has failed. Returns whether it was one of this.
   *
   * @param {ServerError} error
   */
  fail({ request, text }) {
    return [this.#jump, this.#history, this.#later].some((part) => part.fail(request, text));
  }

  /** The connection is another, or gone. */
  resume() {
    for (const part of [this.#history, this.#later, this.#jump]) part.resume();
  }

  /**
   * Show the newest anew: what comes next does not follow what is shown.
   *
   * @param {number} position the offset after which one hears
   * @param {Message} [notice] says so
   */
  startOver(position, notice) {
    this.#jump.cancel();
    this.#position = this.#heardFrom = this.#askedAt = position;
    this.#heard = [];
    this.#log.clear();
    if (notice) this.#log.add(notice);
    this.#setLive(true);
    this.#follower.toEnd();
    this.#history.reload();
  }

  /** @param {Frame} frame */
  #addOlder(frame) {
    const messages = this.#history.answer(frame);
    if (messages === null) return;
    this.loaded(messages);
    this.#follower.keepPlace(() => {
      this.#log.addOlder(messages);
      this.#history.more = frame.more;
    });
    // Nothing but deletions: there is nothing new to scroll to.
    if (messages.every((message) => changeBy(message) !== null)) this.#history.load();
  }

  /** @param {Frame} frame */
  #addLater(frame) {
    const messages = this.#later.answer({ ...frame, messages: [] }) && this.#history.read(frame.messages);
    if (messages === null) return;
    this.loaded(messages);
    this.#log.addLater(messages);
    this.#follower.keepPlace(() => {
      if (this.#log.trim()) this.#history.more = true;
    });
    this.#setLive(!frame.more);
  }

  /**
   * Go live if what was just loaded goes to the end of the log, with what was heard since.
   *
   * @param {boolean} toEnd
   */
  #setLive(toEnd) {
    const last = this.#log.lastOffset ?? 0;
    const wasLive = this.live;
    this.live = toEnd && this.#heardFrom <= Math.max(this.#askedAt, last);
    this.#later.more = !this.live;
    this.#follower.live = this.live;
    if (!this.live) return;
    for (const message of this.#heard) {
      if (message.offset !== null && message.offset > last && changeBy(message) === null) this.#log.add(message);
    }
    if (!wasLive) window.history.replaceState(null, "", location.pathname); // to load the page again is to be here again
  }

  /** @param {Message} message */
  #remember(message) {
    if (message.offset === null) return;
    this.#position = message.offset;
    this.#heard.push(message);
    if (this.#heard.length > HEARD_MAX) this.#heardFrom = this.#heard.shift()?.offset ?? this.#heardFrom;
  }

  /**
   * Scroll to the message at an offset, and have it stand out for a while.
   *
   * @param {number} offset
   * @param {boolean} [hadFocus] whether the log had the focus, which then goes to the message
   */
  #find(offset, hadFocus = this.#log.contains(document.activeElement)) {
    const found = this.#log.find(offset);
    if (!found) return;
    if (!found.exact) this.#notice.say(MISSING);
    this.#follower.leaveEnd();
    found.line.scrollIntoView({ block: "center" });
    for (const other of this.#log.querySelectorAll(".found")) other.classList.remove("found");
    found.line.classList.toggle("found", found.exact);
    clearTimeout(this.#mark);
    this.#mark = setTimeout(() => found.line.classList.remove("found"), FOUND_SHOWN);
    const focused = found.line.querySelector("button.actions") ?? found.line.querySelector("a");
    if (hadFocus && focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  }
}
