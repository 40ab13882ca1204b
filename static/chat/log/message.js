// @ts-check

import { readAttachments } from "../files/attachment.js";
import { readReactions } from "../reactions/reactions.js";
import { gettext } from "../translation.js";
import { readLinks } from "./link-previews.js";
import { readQuote } from "./quote.js";

/** @import { Attachment } from "../files/attachment.js" */
/** @import { Reaction } from "../reactions/reactions.js" */
/** @import { LinkPreview } from "./link-previews.js" */
/** @import { Quote } from "./quote.js" */

const KINDS = new Set(["deletion", "edit", "reaction", "links", "notice", "greeting", "start_over"]);

/**
 * A chat frame as the page uses it.
 *
 * @typedef {object} Message
 * @property {string} kind "message" or one of KINDS; "set_back" where the log starts over in an earlier state
 * @property {string} text where there are only files, their names
 * @property {string | null} html the text with its formatting, if it has any
 * @property {boolean} deleted
 * @property {Date | null} editedAt when it got its text, if that isn't its first
 * @property {Quote | null} replyTo
 * @property {string[]} mentions the ids of the people whom it calls; "room" for everybody
 * @property {Attachment[]} attachments
 * @property {Reaction[]} reactions
 * @property {LinkPreview[]} links the pages that it links to, as far as they can be shown
 * @property {number | null} target the offset of the message that an entry is about which changes one
 * @property {string | null} subject the id of the person whom a notice is about
 * @property {number | null} offset
 * @property {string | null} clientId
 * @property {string | null} userId
 * @property {string} userName
 * @property {Date} sentAt
 * @property {{ process: number, thread: string } | null} origin
 */

/**
 * Reads a frame, and fills in what a foreign sender may leave out.
 *
 * @param {Record<string, any>} frame an object from the chat socket; only `message` can be relied on
 * @returns {Message | null} null if the frame carries no text
 */
export function readMessage(frame) {
  if (typeof frame.message !== "string") return null;
  const sentAt = new Date(frame.sent_at ?? NaN);
  return {
    kind: KINDS.has(frame.kind) ? frame.kind : "message",
    text: frame.message,
    html: typeof frame.html === "string" ? frame.html : null,
    deleted: frame.deleted === true,
    editedAt: typeof frame.edited_at === "string" ? new Date(frame.edited_at) : null,
    replyTo: readQuote(frame.reply_to),
    mentions: Array.isArray(frame.mentions) ? frame.mentions : [],
    attachments: frame.deleted === true ? [] : readAttachments(frame.attachments),
    reactions: readReactions(frame.reactions),
    links: readLinks(frame.links),
    target: frame.target ?? null,
    subject: frame.subject ?? null,
    offset: Number.isSafeInteger(frame.offset) ? frame.offset : null,
    clientId: frame.client_id ?? null,
    userId: frame.user_id ?? null,
    userName: String(frame.user || gettext("Someone")),
    sentAt: Number.isNaN(sentAt.getTime()) ? new Date() : sentAt,
    origin: frame.origin ?? null,
  };
}

/**
 * The change that an entry makes to the message that is its target.
 *
 * @param {Message} entry
 * @returns {Partial<Message> | null} null if it is none that changes one
 */
export function changeBy({ kind, text, html, deleted, sentAt, mentions, reactions, links }) {
  if (kind === "deletion") return { text: "", html: null, attachments: [], deleted: true, links: [] };
  if (kind === "edit") return deleted ? {} : { text, html, editedAt: sentAt, mentions, links: [] };
  if (kind === "reaction") return { reactions };
  if (kind === "links") return { links };
  return null;
}

/**
 * Whether a message calls a person, or everybody.
 *
 * @param {Message} message
 * @param {string | null} personId
 */
export function calls({ mentions }, personId) {
  return mentions.some((id) => id === personId || id === "room");
}
