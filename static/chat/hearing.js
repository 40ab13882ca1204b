// @ts-check

import { calls, changeBy, readMessage } from "./log/message.js";

/** @import { RoomAlerts } from "./alerts/room-alerts.js" */
/** @import { PostingLimits } from "./composer/posting-limits.js" */
/** @import { ChatOutbox } from "./composer/outbox.js" */
/** @import { Connection, Frame } from "./connection/connection.js" */
/** @import { Position } from "./connection/position.js" */
/** @import { Ignoring } from "./ignoring.js" */
/** @import { ChatLog } from "./log/chat-log.js" */
/** @import { Message } from "./log/message.js" */
/** @import { Timeline } from "./log/timeline.js" */
/** @import { ReportCount } from "./moderation/report-count.js" */
/** @import { ChatTyping } from "./presence/chat-typing.js" */
/** @import { Replying } from "./replying.js" */
/** @import { ReadMarks } from "./rooms/read-marks.js" */
/** @import { Standing } from "./standing.js" */

/**
 * The parts of the page that hear of each entry.
 *
 * @typedef {object} Parts
 * @property {string} room
 * @property {Standing} standing
 * @property {Position} position
 * @property {Connection} connection
 * @property {ChatOutbox} outbox
 * @property {ChatLog} log
 * @property {Timeline} timeline
 * @property {ChatTyping} typing
 * @property {Replying} replying
 * @property {ReadMarks} marks
 * @property {RoomAlerts} alerts
 * @property {Ignoring} ignoring
 * @property {PostingLimits} limits
 * @property {ReportCount} reportCount
 */

/** Hears what is said in the room, each entry once, in order. */
export class Hearing {
  #parts;

  /** @param {Parts} parts */
  constructor(parts) {
    this.#parts = parts;
  }

  /**
   * An entry has come, or something live that has no place in the log.
   *
   * @param {Frame} frame
   */
  hear(frame) {
    const { position, outbox, timeline } = this.#parts;
    const message = readMessage(frame);
    if (message === null) return;
    outbox.settle(message.clientId);
    if (message.offset !== null) {
      if (message.offset <= position.offset) return;
      position.moveTo(message.offset, frame.id ?? null);
    }
    timeline.hear(message);
    this.#tell(message, frame);
  }

  /**
   * Starts over: the next messages do not follow those that are shown.
   *
   * @param {Frame} frame
   */
  startOver(frame) {
    const { position, timeline, connection } = this.#parts;
    const notice = readMessage(frame);
    if (notice === null) return;
    const [offset, id] = [notice.offset ?? 0, frame.id ?? null];
    const kind = position.isSetBackBy(offset, id) ? "set_back" : notice.kind;
    position.moveTo(offset, id);
    timeline.startOver(position.offset, { ...notice, kind, offset: null });
    connection.send({ me: true }); // there may have been notices among what is missing
  }

  /**
   * Somebody has given the reader another role, perhaps. An older instance's notice doesn't say which: then the page
   * asks.
   *
   * @param {Frame} frame
   */
  takeRole({ role }) {
    const { standing, connection, log, limits, reportCount } = this.#parts;
    if (role === undefined) {
      connection.send({ me: true });
      return;
    }
    const moderated = standing.moderates;
    standing.role = role;
    limits.show();
    if (standing.moderates !== moderated) reportCount.follow();
    log.refresh();
  }

  /** @param {Frame} frame of kind "me" */
  takeMe(frame) {
    this.#parts.limits.take(frame);
    this.takeRole(frame);
  }

  /**
   * @param {Message} message
   * @param {Frame} frame
   */
  #tell(message, frame) {
    const { standing, typing, replying, marks, limits } = this.#parts;
    if (message.kind === "message") typing.settle(message.userId);
    if (message.kind === "notice") limits.hear(frame);
    if (message.kind === "notice" && message.subject === standing.person.id) this.takeRole(frame);
    const change = changeBy(message);
    if (change !== null) {
      replying.noteChange(message.target, change);
      return;
    }
    if (message.kind === "message" && message.userId === standing.person.id) limits.posted();
    else if (message.kind === "message") this.#tellOfOther(message);
    marks.look();
  }

  /** @param {Message} message by somebody else than the reader */
  #tellOfOther(message) {
    const { room, standing, marks, alerts, ignoring } = this.#parts;
    if (ignoring.has(message.userId)) return;
    if (message.offset !== null) marks.count(message.offset);
    alerts.hear(room, message, calls(message, standing.person.id));
  }
}
