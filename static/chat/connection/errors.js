// @ts-check

import { gettext } from "../translation.js";

/** @import { Frame } from "./connection.js" */

/** Nothing was sent, because there is no connection. */
export const NOT_CONNECTED = gettext("You are not connected. Try again once you are.");

/**
 * An error, as the server tells of it.
 *
 * @typedef {object} ServerError
 * @property {string} code stable, as in docs/protocol.md
 * @property {string} text for the reader
 * @property {number | null} retryAfter seconds, if the server says when it will take the same thing
 * @property {string | null} clientId the message that it is about
 * @property {string | null} request the question that it is about
 */

/**
 * @param {Frame} frame
 * @returns {ServerError | null} null if the frame isn't about an error
 */
export function readError(frame) {
  if (frame.kind !== "error") return null;
  const retryAfter = frame.error?.retry_after;
  return {
    code: String(frame.error?.code ?? "error"),
    text: String(frame.message ?? gettext("Something went wrong on the server.")),
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : null,
    clientId: frame.client_id ?? null,
    request: frame.request ?? null,
  };
}
