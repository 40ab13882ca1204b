// @ts-check

import { element } from "../elements.js";
import { isWordless } from "../files/attachment.js";
import { attachmentList } from "../files/attachment-list.js";
import { personElement } from "../profile.js";
import { fill, gettext, locales } from "../translation.js";
import { avatar, tone } from "./avatar.js";
import { showLinks } from "./link-previews.js";
import { messageText } from "./message-text.js";
import { quoteElement } from "./quote.js";

/** @import { Message } from "./message.js" */

/** The selector of the button that opens a message's menu. */
export const ACTIONS = ".actions";
/** The selector of the button that shows a message that is folded. */
export const SHOW = ".show-ignored";

const STARTED_OVER = gettext(
  "Not all that was said while you were away is shown. Scroll up for the rest, as far as it is kept.",
);
const SET_BACK = gettext("This room was set back to an earlier state: what was said after that is gone.");

const clock = new Intl.DateTimeFormat(locales, { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat(locales, { dateStyle: "full" });
const fullDate = new Intl.DateTimeFormat(locales, { dateStyle: "full", timeStyle: "medium" });

/**
 * The reader's view of a message.
 *
 * @typedef {object} View
 * @property {boolean} own the reader's own
 * @property {string | null} readerId the reader's id
 * @property {boolean} called it calls the reader by name
 * @property {boolean} hasActions there is something that the reader can do with it
 * @property {boolean} folded it is by somebody whom the reader ignores
 * @property {boolean} removesLinks the reader may remove previews of links from it
 * @property {boolean} showOrigin its process and thread are shown as text
 */

/**
 * The element that shows a message in the log.
 *
 * @param {Message} message
 * @param {View} view
 */
export function messageLine(message, view) {
  if (message.kind === "start_over") return element("div", "notice-line started-over", STARTED_OVER);
  if (message.kind === "set_back") return element("div", "notice-line started-over", SET_BACK);
  if (message.kind === "greeting" || message.kind === "notice") return noticeLine(message, view);
  const line = element("div", "message");
  line.classList.toggle("own", view.own);
  line.classList.toggle("called", view.called && !view.own && !message.deleted);
  line.dataset.tone = tone(message.userId ?? message.userName);
  const bubble = element("div", "bubble");
  if (message.replyTo !== null && !message.deleted) bubble.append(quoteElement(message.replyTo, view.readerId));
  bubble.append(...content(message, view), meta(message, view));
  line.append(avatar(message.userName, message.userId), author(message, view), bubble);
  if (view.hasActions) line.append(actionsButton());
  showLinks(line, message.links, view.removesLinks);
  if (view.folded) fold(line);
  return line;
}

/**
 * The content: a text, files, or both.
 *
 * @param {Message} message
 * @param {View} view
 */
function content(message, view) {
  if (message.deleted) return [element("p", "gone", gettext("Deleted"))];
  const words = isWordless(message) ? [] : messageText(message.text, message.html, view.readerId);
  return [...words, ...attachmentList(message.attachments)];
}

/**
 * @param {Message} message
 * @param {View} view
 */
function author({ userId, userName }, { own }) {
  const author = element("bdi", "author");
  // The style sheet's badge stands before the name: a long one hides nothing.
  if (userId?.startsWith("guest-")) author.dataset.guest = gettext("Guest");
  const name = personElement(userId, "", own ? gettext("You") : userName);
  if (name instanceof HTMLAnchorElement) name.tabIndex = -1; // the menu leads there by keys
  author.append(name);
  return author;
}

/**
 * Fold a line to some words and a button. What is said stays there, for the transcript, and is not read out.
 *
 * @param {HTMLElement} line
 */
function fold(line) {
  line.classList.add("ignored");
  line.ariaLive = "off";
  const words = element("span", "ignored-words", gettext("Message of somebody you ignore."));
  const button = element("button", "show-ignored quiet", gettext("Show"));
  button.type = "button";
  button.tabIndex = -1;
  line.prepend(words, button);
}

/**
 * The line before the first message of a day.
 *
 * @param {Message} message
 */
export function dayLine(message) {
  return element("div", "day", calendar.format(message.sentAt));
}

/**
 * @param {Message} message
 * @param {View} view
 */
function noticeLine(message, view) {
  const line = element("div", "notice-line");
  line.append(...messageText(message.text), " ", meta(message, view));
  return line;
}

/**
 * @param {Message} message
 * @param {View} view
 */
function meta(message, view) {
  const time = element("time", "time", clock.format(message.sentAt));
  time.dateTime = message.sentAt.toISOString();
  time.title = fullDate.format(message.sentAt);
  const meta = element("span", "meta");
  if (message.editedAt !== null && !message.deleted) {
    const edited = element("span", "edited", gettext("edited"));
    edited.title = fullDate.format(message.editedAt);
    meta.append(edited, " · ");
  }
  meta.append(message.offset === null ? time : permalink(message.offset, time));
  if (message.origin !== null) {
    const origin = fill(gettext("process %(process)s, thread %(thread)s"), {
      process: String(message.origin.process),
      thread: message.origin.thread,
    });
    time.title += ` (${origin})`;
    if (view.showOrigin) meta.append(" · ", element("span", "origin", origin));
  }
  return meta;
}

/**
 * The link to a message, around the time when it was said.
 *
 * @param {number} offset
 * @param {HTMLElement} time
 */
function permalink(offset, time) {
  const link = element("a", "permalink");
  link.href = `?at=${offset}`;
  link.dataset.at = String(offset);
  link.tabIndex = -1; // as that of a quote
  link.append(time);
  return link;
}

/** Its dots are the style sheet's, so that they are not copied with the text. */
function actionsButton() {
  const button = element("button", "actions quiet");
  button.type = "button";
  button.tabIndex = -1;
  button.ariaLabel = gettext("Message actions");
  button.ariaHasPopup = "menu";
  button.ariaExpanded = "false";
  return button;
}
