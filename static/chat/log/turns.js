// @ts-check
/** Which messages in a row belong together. */

/** @import { Message } from "./message.js" */

const TURN_BREAK = 5 * 60_000; // milliseconds between two messages of the same person that are not one turn

/**
 * Whether a message carries on the turn of the message before it.
 *
 * @param {Message} message
 * @param {Message} [before]
 */
export function continues(message, before) {
  return (
    before?.kind === "message" &&
    message.kind === "message" &&
    before.userId === message.userId &&
    before.userName === message.userName &&
    onSameDay(before, message) &&
    message.sentAt.getTime() - before.sentAt.getTime() < TURN_BREAK
  );
}

/**
 * Whether two messages were sent on the same day, where the reader is.
 *
 * @param {Message} one
 * @param {Message} other
 */
export function onSameDay(one, other) {
  return one.sentAt.toDateString() === other.sentAt.toDateString();
}
