// @ts-check
/** The ways in which the reader can act on a message, besides reacting to it. */

import { NOT_CONNECTED } from "../connection/errors.js";
import { find } from "../elements.js";
import { profileAddress } from "../profile.js";
import { fill, gettext } from "../translation.js";
import { addressOf, copy } from "./links.js";

/** @import { Connection } from "../connection/connection.js" */
/** @import { Editing } from "../editing.js" */
/** @import { Ignoring } from "../ignoring.js" */
/** @import { ReportDialog } from "../moderation/report-dialog.js" */
/** @import { Replying } from "../replying.js" */
/** @import { ReadMarks } from "../rooms/read-marks.js" */
/** @import { Standing } from "../standing.js" */
/** @import { Message } from "./message.js" */
/** @import { Action } from "./message-menu.js" */
/** @import { Notice } from "./notice.js" */
/** @import { Timeline } from "./timeline.js" */
/** @import { MessageVersions } from "./versions.js" */

/**
 * The actions, in the order in which the menu lists them.
 *
 * @param {object} parts
 * @param {Standing} parts.standing
 * @param {boolean} parts.isDirect whether the room is a direct one
 * @param {Connection} parts.connection
 * @param {Replying} parts.replying
 * @param {Editing} parts.editing
 * @param {MessageVersions} parts.versions
 * @param {ReadMarks} parts.marks
 * @param {Timeline} parts.timeline
 * @param {Notice} parts.notice
 * @param {Ignoring} parts.ignoring
 * @param {ReportDialog} parts.reportDialog
 * @returns {Action[]}
 */
export function messageActions(parts) {
  const { standing, isDirect, connection, replying, editing, versions, marks, timeline, notice } = parts;
  const { ignoring, reportDialog } = parts;
  /** @param {Message} message */
  const isOwn = ({ userId }) => userId === standing.person.id;
  return [
    {
      label: gettext("Reply"),
      key: "r",
      allows: (message) => isThere(message) && !standing.readsOnly && !standing.roomIsClosed,
      act: (message) => replying.begin(message),
    },
    {
      label: gettext("Go to quoted message"),
      allows: ({ replyTo, deleted }) => replyTo !== null && !deleted,
      act: ({ replyTo }) => replyTo && timeline.openAt(replyTo.offset),
    },
    {
      label: gettext("Copy link"),
      allows: isThere,
      act: ({ offset }) => copyLink(offset, notice),
    },
    {
      label: gettext("Edit"),
      allows: (message) => isThere(message) && isOwn(message) && !standing.roomIsClosed,
      act: (message) => editing.begin(message),
    },
    {
      label: gettext("Earlier texts"),
      allows: ({ deleted, editedAt }) => standing.owns && editedAt !== null && !deleted,
      act: (message) => versions.show(message),
    },
    {
      label: gettext("Show profile"),
      allows: ({ kind, userId }) => kind === "message" && profileAddress(userId) !== null,
      act: ({ userId }) => location.assign(profileAddress(userId) ?? ""),
    },
    {
      label: gettext("Message directly"),
      allows: (message) => isByUser(message) && !isOwn(message) && !isDirect && !standing.person.isGuest,
      act: ({ userId }) => writeTo(userId ?? ""),
    },
    {
      label: gettext("Mark unread from here"),
      allows: (message) => isStored(message) && !isOwn(message),
      act: ({ offset }) => marks.markUnread(offset ?? 0),
    },
    {
      label: gettext("Report"),
      allows: (message) => isThere(message) && !isOwn(message) && !standing.moderates && !standing.readsOnly,
      act: (message) => reportDialog.show(message),
    },
    {
      label: gettext("Ignore this person"),
      allows: (message) =>
        isByPerson(message) && !isOwn(message) && !standing.readsOnly && !ignoring.has(message.userId),
      act: ({ userId }) => ignoring.set(userId ?? "", true),
    },
    {
      label: gettext("No longer ignore this person"),
      allows: ({ userId }) => ignoring.has(userId),
      act: ({ userId }) => ignoring.set(userId ?? "", false),
    },
    {
      label: gettext("Delete"),
      question: gettext("Really delete?"),
      allows: (message) => isThere(message) && (isOwn(message) || standing.moderates),
      act: ({ offset }) => {
        if (connection.send({ delete: offset })) return;
        notice.say(NOT_CONNECTED);
      },
    },
  ];
}

/** @param {Message} message */
function isStored({ kind, offset }) {
  return kind === "message" && offset !== null;
}

/** @param {Message} message */
function isThere(message) {
  return isStored(message) && !message.deleted;
}

/** @param {Message} message */
function isByPerson({ kind, userId }) {
  return kind === "message" && /^(user|guest)-/.test(userId ?? "");
}

/** @param {Message} message */
function isByUser({ kind, userId }) {
  return kind === "message" && userId?.startsWith("user-") === true;
}

/**
 * @param {number | null} offset of the message to which the link leads
 * @param {Notice} notice
 */
async function copyLink(offset, notice) {
  const address = addressOf(offset);
  const copied = await copy(address);
  notice.say(copied ? gettext("The link is copied.") : fill(gettext("Copy this link: %(address)s"), { address }));
}

/**
 * Go to the direct room with a user.
 *
 * @param {string} personId
 */
function writeTo(personId) {
  const form = find(document, "#chat-direct", HTMLFormElement);
  find(form, "[name=person_id]", HTMLInputElement).value = personId;
  form.submit();
}
