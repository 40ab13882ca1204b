// @ts-check
/** The page of a room: puts its parts together. */

import { RoomAlerts } from "./alerts/room-alerts.js";
import { UnreadSign } from "./alerts/unread-sign.js";
import { MentionCompletion } from "./composer/completion.js";
import { Composer } from "./composer/composer.js";
import { Draft } from "./composer/draft.js";
import { ChatOutbox } from "./composer/outbox.js";
import { ComposerTopic } from "./composer/topic.js";
import { Connection } from "./connection/connection.js";
import { ConnectionStatus } from "./connection/connection-status.js";
import { readError } from "./connection/errors.js";
import { ChatIdentity } from "./connection/identity.js";
import { afterSleep } from "./connection/sleep.js";
import { Editing } from "./editing.js";
import { find } from "./elements.js";
import { offerKeys } from "./keys.js";
import { ChatLog } from "./log/chat-log.js";
import { Follower } from "./log/follower.js";
import { ChatHistory } from "./log/history.js";
import { addressOf, copy, followLinks } from "./log/links.js";
import { changeBy, readMessage } from "./log/message.js";
import { MessageMenu } from "./log/message-menu.js";
import { Timeline } from "./log/timeline.js";
import { MessageVersions } from "./log/versions.js";
import { ChatPresence } from "./presence/chat-presence.js";
import { ChatTyping } from "./presence/chat-typing.js";
import { TypingSign } from "./presence/typing-sign.js";
import { quickReactions } from "./reactions/quick-reactions.js";
import { Reactions } from "./reactions/reactions.js";
import { Replying } from "./replying.js";
import { OwnRooms } from "./rooms/own-rooms.js";
import { ReadMarks } from "./rooms/read-marks.js";
import { RoomSwitcher } from "./rooms/room-switcher.js";
import { RoomsDrawer } from "./rooms/rooms-drawer.js";

/** @import { Frame } from "./connection/connection.js" */
/** @import { ServerError } from "./connection/errors.js" */
/** @import { Person } from "./connection/identity.js" */
/** @import { Message } from "./log/message.js" */
/** @import { Quote } from "./log/quote.js" */
/** @import { OwnRoom } from "./rooms/own-rooms.js" */

const SESSION_ENDED = 4401;
const VERSIONS = "versions"; // the id of that question
const ROOMS = "rooms"; // the id of what is asked about one's rooms
const MODERATING = new Set(["moderator", "owner"]);

customElements.define("chat-history", ChatHistory);
customElements.define("chat-identity", ChatIdentity);
customElements.define("chat-log", ChatLog);
customElements.define("chat-outbox", ChatOutbox);
customElements.define("chat-presence", ChatPresence);
customElements.define("chat-typing", ChatTyping);
customElements.define("composer-topic", ComposerTopic);
customElements.define("connection-status", ConnectionStatus);
customElements.define("own-rooms", OwnRooms);
customElements.define("room-alerts", RoomAlerts);

const data = JSON.parse(find(document, "#room-data", HTMLScriptElement).text);
const scroller = find(document, "#chat-scroller", HTMLElement);
const history = find(document, "#chat-history", ChatHistory);
const later = find(document, "#chat-later", ChatHistory);
const log = find(document, "#chat-log", ChatLog);
const outbox = find(document, "#chat-outbox", ChatOutbox);
const presence = find(document, "#chat-presence", ChatPresence);
const typing = find(document, "#chat-typing", ChatTyping);
const identity = find(document, "#chat-identity", ChatIdentity);
const ownRooms = find(document, "own-rooms", OwnRooms);
const alerts = find(document, "room-alerts", RoomAlerts);
const unreadSign = new UnreadSign(find(document, "link[rel=icon]", HTMLLinkElement));
const marks = new ReadMarks(data);
const draft = new Draft(storageKey("draft", data.person));
const connection = new Connection(() => {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  // `as`: once logged out elsewhere, the page must not go on as somebody else without a word.
  const query = new URLSearchParams({
    after: String(position.offset),
    with: "edits,reactions,html,presence,typing,rooms",
  });
  if (!readsOnly) query.set("as", data.person.id);
  if (position.id !== null) query.set("id", position.id);
  return `${scheme}://${location.host}/ws/chat/${encodeURIComponent(data.room)}/?${query}`;
});
const follower = new Follower(
  scroller,
  find(document, "#chat-end", HTMLElement),
  find(document, "#chat-newest", HTMLElement),
);
const composer = new Composer(find(document, "#chat-composer", HTMLFormElement), data.messageMax, draft, post);
const editing = new Editing(composer, connection);
const replying = new Replying(composer, post);
const completion = new MentionCompletion(
  find(document, "#chat-message-input", HTMLTextAreaElement),
  find(document, "#chat-candidates", HTMLElement),
  (complete, request) => connection.send({ complete, request }),
);
const versions = new MessageVersions(find(document, "#chat-versions", HTMLDialogElement), (offset) =>
  connection.send({ versions: offset, request: VERSIONS }),
);
const reactions = new Reactions(
  () => data.person,
  (frame) => connection.send(frame),
);
const menu = new MessageMenu(find(document, "#chat-menu", HTMLElement), [
  {
    label: "Reply",
    key: "r",
    allows: ({ kind, offset, deleted }) => kind === "message" && offset !== null && !deleted && !readsOnly,
    act: (message) => replying.begin(message),
  },
  {
    label: "Go to quoted message",
    allows: ({ replyTo, deleted }) => replyTo !== null && !deleted,
    act: ({ replyTo }) => replyTo && timeline.openAt(replyTo.offset),
  },
  {
    label: "Copy link",
    allows: ({ kind, offset, deleted }) => kind === "message" && offset !== null && !deleted,
    act: ({ offset }) => copyLink(offset),
  },
  {
    label: "Edit",
    allows: ({ kind, offset, deleted, userId }) =>
      kind === "message" && offset !== null && !deleted && userId === data.person.id,
    act: (message) => editing.begin(message),
  },
  {
    label: "Earlier texts",
    allows: ({ deleted, editedAt }) => data.owns && editedAt !== null && !deleted,
    act: (message) => versions.show(message),
  },
  {
    label: "Message directly",
    allows: ({ kind, userId }) =>
      kind === "message" &&
      !data.isDirect &&
      !data.person.isGuest &&
      userId !== data.person.id &&
      userId?.startsWith("user-") === true,
    act: ({ userId }) => writeTo(userId ?? ""),
  },
  {
    label: "Mark unread from here",
    allows: ({ kind, offset, userId }) => kind === "message" && offset !== null && userId !== data.person.id,
    act: ({ offset }) => marks.markUnread(offset ?? 0),
  },
  {
    label: "Delete",
    question: "Really delete?",
    allows: ({ kind, offset, deleted, userId }) =>
      kind === "message" && offset !== null && !deleted && (userId === data.person.id || data.moderates),
    act: ({ offset }) => connection.send({ delete: offset }),
  },
]);

/**
 * The last entry that the page has seen: the server sends what comes after it. The id proves that it is that entry.
 *
 * @type {{ offset: number, id: string | null }}
 */
let position = { offset: data.position, id: data.positionId ?? null };

const notice = find(document, "#chat-jump", HTMLElement);
const timeline = new Timeline(
  { log, history, later, follower, notice },
  (question) => connection.send(question),
  data.position,
);

/**
 * @param {"draft" | "outbox"} what
 * @param {Person} person
 */
function storageKey(what, person) {
  return `${what} of ${person.id} in ${data.room}`;
}

/** @param {number | null} offset of the message to which the link leads */
async function copyLink(offset) {
  const address = addressOf(offset);
  const copied = await copy(address);
  timeline.say(copied ? (notice.dataset.copied ?? "") : `${notice.dataset.uncopied} ${address}`);
}

/** Without cookies the server takes the page for somebody else each time. */
let readsOnly = false;

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

/**
 * @param {string} text
 * @param {Quote} [quote] of the message that it replies to
 */
function post(text, quote) {
  if (readsOnly) return "Your browser keeps no cookies for this site, so nothing was sent.";
  if (connection.state === "refused") return "This room cannot be reached, so nothing was sent.";
  if (outbox.full) return "Too many messages are waiting to be sent. Try again once you are connected.";
  outbox.add(text, quote);
  marks.release();
  timeline.toNewest();
  return "";
}

/** @type {Promise<import("./reactions/emoji-picker.js").EmojiPicker> | null} */
let picker = null;

/**
 * Has the reader choose among all emoji. The picker is loaded when it is first wanted.
 *
 * @param {Message} message
 */
async function chooseReaction(message) {
  picker ??= import("./reactions/emoji-picker.js").then(
    ({ EmojiPicker }) => new EmojiPicker(find(document, "#chat-picker", HTMLDialogElement)),
  );
  (await picker).open((emoji) => react(message, emoji));
}

/**
 * @param {Message} message
 * @param {string} emoji
 */
function react(message, emoji) {
  if (readsOnly) composer.showError("Your browser keeps no cookies for this site, so nothing was sent.");
  else reactions.toggle(message, emoji);
}

/** @param {Frame} frame */
function receive(frame) {
  const error = readError(frame);
  if (error !== null) receiveError(error);
  else if (frame.kind === "history") timeline.answer(frame);
  else if (frame.kind === "completion") completion.receive(frame);
  else if (frame.kind === "versions") versions.receive(frame);
  else if (frame.kind === "reacted") reactions.settle(frame);
  else if (frame.kind === "me") receiveRole(frame);
  else if (frame.kind === "presence") presence.show(frame);
  else if (frame.kind === "typing") typing.show(frame);
  else if (frame.kind === "rooms") receiveRooms(frame);
  else if (frame.kind === "start_over") startOver(frame);
  else receiveMessage(frame);
}

/** @param {Frame} frame */
function receiveMessage(frame) {
  const message = readMessage(frame);
  if (message === null) return;
  outbox.settle(message.clientId);
  if (message.offset !== null) {
    if (message.offset <= position.offset) return;
    position = { offset: message.offset, id: frame.id ?? null };
  }
  timeline.hear(message);
  if (message.kind === "message") typing.settle(message.userId);
  if (message.kind === "notice" && message.subject === data.person.id) receiveRole(frame);
  const change = changeBy(message);
  if (change !== null) {
    replying.noteChange(message.target, change);
    return;
  }
  if (message.kind === "message" && message.userId !== data.person.id) {
    if (message.offset !== null) marks.count();
    alerts.hear(data.room, message, log.calls(message));
  }
  marks.look();
}

/**
 * Somebody has given the reader another role, perhaps. An older instance's notice doesn't say which: then the page asks.
 *
 * @param {Frame} frame
 */
function receiveRole(frame) {
  if (frame.role === undefined) {
    connection.send({ me: true });
    return;
  }
  data.moderates = MODERATING.has(frame.role);
  data.owns = frame.role === "owner";
  log.refresh();
}

/** @param {Frame} frame */
function receiveRooms(frame) {
  /** @type {OwnRoom[]} */
  const rooms = frame.rooms;
  ownRooms.take(rooms, frame.complete);
  alerts.take(
    rooms.filter(({ name }) => name !== data.room),
    frame.complete,
  );
  const here = rooms.find(({ name }) => name === data.room);
  if (!here) return;
  if (here.involvement === null) location.assign(find(document, ".site-name", HTMLAnchorElement).href);
  else if (here.read !== null) marks.take(here.read, here.unread);
}

function showUnread() {
  unreadSign.show(marks.unread + ownRooms.unread);
}

/** @param {ServerError} error */
function receiveError(error) {
  if (completion.fail(error.request)) return;
  if (error.request === ROOMS) {
    ownRooms.showError(error.text);
    return;
  }
  if (editing.fail(error) || timeline.fail(error.request, error.text) || outbox.postpone(error.clientId, error)) return;
  if (error.request === VERSIONS) {
    versions.fail(error.text);
    return;
  }
  reactions.fail(error);
  if (error.code === "session_ended") return; // which says more once it is known who one is now
  composer.showError(error.text);
  const text = outbox.settle(error.clientId);
  if (text !== null) composer.restore(text);
}

/**
 * What comes next does not follow what is shown.
 *
 * @param {Frame} frame
 */
function startOver(frame) {
  const notice = readMessage(frame);
  if (notice === null) return;
  position = { offset: notice.offset ?? 0, id: frame.id ?? null };
  timeline.startOver(position.offset, { ...notice, offset: null });
}

/** The page may not be here as this person any more, so it shows nothing more of the room. */
function leave() {
  log.clear();
  presence.clear();
  log.hidden = history.hidden = later.hidden = true;
  if (connection.closeCode === SESSION_ENDED) identity.refuse();
}

/** The page is shown what is said, as nobody in particular. */
function onlyRead() {
  readsOnly = true;
  if (connection.state === "refused") comeBack();
}

/** The session was only renewed. */
function comeBack() {
  log.hidden = history.hidden = false;
  timeline.startOver(position.offset);
  connection.open();
}

/**
 * Go on as the person that one has become in another tab, with what isn't said yet.
 *
 * @param {Person} person
 */
function takeOver(person) {
  if (person.id !== data.person.id) {
    outbox.moveTo(storageKey("outbox", person));
    draft.moveTo(storageKey("draft", person));
    location.reload();
    return;
  }
  data.person = person;
  const name = document.querySelector(".account .person bdi");
  if (name) name.textContent = person.name;
  composer.focus(); // the button that had the focus is gone
}

log.readerId = presence.readerId = typing.readerId = data.person.id;
new TypingSign(find(document, "#chat-message-input", HTMLTextAreaElement), (isTyping) => {
  if (!readsOnly) connection.send({ typing: isTyping });
});
log.showOrigin = data.showOrigin;
log.menu = menu;
log.reactions = reactions;
log.react = react;
log.chooseReaction = chooseReaction;
reactions.changed = (offset) => log.showReactions(offset);
menu.lead = (message) =>
  quickReactions(reactions.shown(message), (emoji) => {
    menu.close();
    if (emoji === null) chooseReaction(message);
    else react(message, emoji);
  });
composer.editLast = () => {
  if (log.lastOwn) editing.begin(log.lastOwn);
};
outbox.transmit = (id, text, quote) =>
  connection.send({ message: text, client_id: id, ...(quote && { reply_to: quote.offset }) });
outbox.stalled = () => connection.renew();
outbox.keepIn(storageKey("outbox", data.person));
timeline.loaded = (messages) => {
  for (const message of messages) outbox.settle(message.clientId);
};
marks.send = (frame) => !readsOnly && connection.send(frame);
marks.end = () => position.offset;
marks.endInView = () => follower.following;
marks.markNew = (read) => log.markNew(read);
marks.changed = () => {
  ownRooms.countHere(marks.unread);
  showUnread();
};
ownRooms.addEventListener("unread", showUnread);
alerts.label = (room) => ownRooms.label(room);
alerts.involvement = (room) => ownRooms.involvement(room);
ownRooms.ask = (frame) => connection.send({ ...frame, request: ROOMS });
new RoomsDrawer(
  find(document, "#rooms-drawer", HTMLDialogElement),
  find(document, "#rooms-open", HTMLButtonElement),
  ownRooms,
);
new RoomSwitcher(
  find(document, "#room-switcher", HTMLDialogElement),
  find(document, "#room-switch", HTMLButtonElement),
  ownRooms,
);
timeline.show({
  at: data.at ?? null,
  messages: data.history.messages,
  earlier: data.history.more,
  later: data.history.later ?? false,
});
followLinks(scroller, timeline);
const firstNew = data.unread > 0 && timeline.live ? log.markNew(data.read) : null;
if (firstNew && data.at === null) follower.toLine(firstNew);
follower.atEnd = () => marks.look();
follower.takePageKeys(find(document, "#chat-message-input", HTMLElement));
scroller.addEventListener("beforefold", () => follower.hold());

connection.addEventListener("frame", (event) => receive(/** @type {CustomEvent<Frame>} */ (event).detail));
connection.addEventListener("state", () => {
  outbox.resume();
  timeline.resume();
  if (connection.state !== "open") typing.clear(); // nobody says when they stop
  if (connection.state === "open") marks.look();
  if (connection.state === "open") reactions.resume();
  if (connection.state === "refused") leave();
  for (const notice of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-close-code]"))) {
    notice.hidden = connection.state !== "refused" || Number(notice.dataset.closeCode) !== connection.closeCode;
  }
});
identity.takeOver = takeOver;
identity.reconnect = comeBack;
identity.onlyRead = onlyRead;
identity.watch(data.person, data.firstVisit);
find(document, "#chat-status", ConnectionStatus).follow(connection);
connection.open();
showUnread();

addEventListener("online", () => connection.renew());
afterSleep(() => connection.renew());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connection.retryNow();
});

offerKeys(find(document, "#chat-keys", HTMLDialogElement), find(document, "#keys-open", HTMLButtonElement));
document.addEventListener("keydown", (event) => {
  const elsewhere = document.activeElement !== document.body && document.activeElement !== scroller;
  const printable = [...event.key].length === 1 && event.key !== " ";
  if (elsewhere || !printable || event.ctrlKey || event.metaKey || event.altKey) return;
  // The key itself then lands in the input, so that one can type without a click.
  composer.focus();
});

// Where a phone's keyboard covers the page instead of shrinking it, only the visual viewport knows what can be seen.
const viewport = window.visualViewport;
viewport?.addEventListener("resize", () => {
  if (viewport.scale === 1) document.documentElement.style.setProperty("--visible-height", `${viewport.height}px`);
});
