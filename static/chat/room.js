// @ts-check
/** The page of a room: puts its parts together. */

import { RoomAlerts } from "./alerts/room-alerts.js";
import { UnreadSign } from "./alerts/unread-sign.js";
import { MentionCompletion } from "./composer/completion.js";
import { Composer } from "./composer/composer.js";
import { Draft } from "./composer/draft.js";
import { ChatOutbox } from "./composer/outbox.js";
import { PostingLimits } from "./composer/posting-limits.js";
import { storageKey } from "./composer/storage-key.js";
import { ComposerTopic } from "./composer/topic.js";
import { socketAddress } from "./connection/address.js";
import { Connection } from "./connection/connection.js";
import { ConnectionStatus } from "./connection/connection-status.js";
import { NOT_CONNECTED } from "./connection/errors.js";
import { ChatIdentity } from "./connection/identity.js";
import { Position } from "./connection/position.js";
import { afterSleep } from "./connection/sleep.js";
import { Editing } from "./editing.js";
import { find } from "./elements.js";
import { Failures } from "./failures.js";
import { FileTray } from "./files/file-tray.js";
import { offerFiles } from "./files/offer.js";
import { Hearing } from "./hearing.js";
import { Ignoring } from "./ignoring.js";
import { offerKeys } from "./keys.js";
import { knowAvatars } from "./log/avatar.js";
import { ChatLog } from "./log/chat-log.js";
import { Follower } from "./log/follower.js";
import { ChatHistory } from "./log/history.js";
import { followLinks } from "./log/links.js";
import { messageActions } from "./log/message-actions.js";
import { MessageMenu } from "./log/message-menu.js";
import { MessagePresses } from "./log/message-presses.js";
import { Notice } from "./log/notice.js";
import { Timeline } from "./log/timeline.js";
import { MessageVersions } from "./log/versions.js";
import { ReportCount } from "./moderation/report-count.js";
import { ReportDialog } from "./moderation/report-dialog.js";
import { PersonChange } from "./person-change.js";
import { Posting } from "./posting.js";
import { ChatPresence } from "./presence/chat-presence.js";
import { ChatTyping } from "./presence/chat-typing.js";
import { TypingSign } from "./presence/typing-sign.js";
import { RoomPush } from "./push/room-push.js";
import { Reacting } from "./reactions/reacting.js";
import { Reactions } from "./reactions/reactions.js";
import { Replying } from "./replying.js";
import { OwnRooms } from "./rooms/own-rooms.js";
import { ReadMarks } from "./rooms/read-marks.js";
import { RoomSwitcher } from "./rooms/room-switcher.js";
import { RoomsDrawer } from "./rooms/rooms-drawer.js";
import { registerServiceWorker } from "./service-worker-registration.js";
import { take as takeShared } from "./shared/shared.js";
import { Standing } from "./standing.js";
import { followKeyboard } from "./visible-height.js";

/** @import { Frame } from "./connection/connection.js" */
/** @import { OwnRoom } from "./rooms/own-rooms.js" */

customElements.define("chat-history", ChatHistory);
customElements.define("chat-identity", ChatIdentity);
customElements.define("chat-log", ChatLog);
customElements.define("chat-outbox", ChatOutbox);
customElements.define("chat-presence", ChatPresence);
customElements.define("chat-typing", ChatTyping);
customElements.define("composer-topic", ComposerTopic);
customElements.define("connection-status", ConnectionStatus);
customElements.define("file-tray", FileTray);
customElements.define("own-rooms", OwnRooms);
customElements.define("room-alerts", RoomAlerts);

const data = JSON.parse(find(document, "#room-data", HTMLScriptElement).text);
const input = find(document, "#chat-message-input", HTMLTextAreaElement);
const scroller = find(document, "#chat-scroller", HTMLElement);
const history = find(document, "#chat-history", ChatHistory);
const later = find(document, "#chat-later", ChatHistory);
const log = find(document, "#chat-log", ChatLog);
const outbox = find(document, "#chat-outbox", ChatOutbox);
const presence = find(document, "#chat-presence", ChatPresence);
const typing = find(document, "#chat-typing", ChatTyping);
const tray = find(document, "#chat-files", FileTray);
const identity = find(document, "#chat-identity", ChatIdentity);
const ownRooms = find(document, "own-rooms", OwnRooms);
const alerts = find(document, "room-alerts", RoomAlerts);
const status = find(document, "#chat-status", ConnectionStatus);
const unreadSign = new UnreadSign(find(document, "link[rel=icon]", HTMLLinkElement));
const notice = new Notice(find(document, "#chat-jump", HTMLElement));

knowAvatars(data.avatars);
const standing = new Standing(data);
const position = new Position(data.position, data.positionId ?? null);
const connection = new Connection(() => socketAddress(data.room, position, standing));
/** @param {Frame} frame */
const send = (frame) => connection.send(frame);

const follower = new Follower(
  scroller,
  find(document, "#chat-end", HTMLElement),
  find(document, "#chat-newest", HTMLElement),
);
const timeline = new Timeline({ log, history, later, follower, notice }, send, position.offset);
const marks = new ReadMarks(data);
const posting = new Posting(outbox, connection, standing, marks, timeline, tray);
const draft = new Draft(storageKey("draft", data.person, data.room));
const composer = new Composer(find(document, "#chat-composer", HTMLFormElement), data.messageMax, draft, (text) =>
  posting.post(text),
);
const editing = new Editing(composer, connection);
const replying = new Replying(composer, (text, quote) => posting.post(text, quote));
const completion = new MentionCompletion(input, find(document, "#chat-candidates", HTMLElement), send);
const versions = new MessageVersions(find(document, "#chat-versions", HTMLDialogElement), send);
const reactions = new Reactions(() => standing.person, send);
const reacting = new Reacting(reactions, standing, composer, find(document, "#chat-picker", HTMLDialogElement));
const ignoring = new Ignoring(data.ignored, send, notice);
const reportDialog = new ReportDialog(find(document, "#chat-report", HTMLDialogElement), send, notice);
const reportCount = new ReportCount(find(document, "#chat-reports", HTMLAnchorElement), send, standing);
const limits = new PostingLimits(
  find(document, "#chat-composer", HTMLFormElement),
  find(document, "#chat-read-only", HTMLElement),
  standing,
  data.slowMode,
);
const push = new RoomPush(data.room, data.person, connection, timeline);
const menu = new MessageMenu(
  find(document, "#chat-menu", HTMLElement),
  messageActions({
    isDirect: data.isDirect,
    standing,
    connection,
    replying,
    editing,
    versions,
    marks,
    timeline,
    notice,
    ignoring,
    reportDialog,
  }),
);
const room = data.room;
const parts = { room, standing, identity, connection, position, log, history, later, timeline, presence, typing };
const personChange = new PersonChange({ ...parts, composer, draft, outbox, limits, ownRooms });
const hearing = new Hearing({ ...parts, outbox, replying, marks, alerts, ignoring, limits, reportCount });
const failures = new Failures(
  [completion, ownRooms, editing, timeline, versions, ignoring, reportDialog, reportCount, limits],
  reactions,
  outbox,
  composer,
  tray,
);

/**
 * The parts that take the frames of a kind. All other frames are entries of the room.
 *
 * @type {Map<string, (frame: Frame) => void>}
 */
const takers = new Map([
  ["error", (frame) => failures.take(frame)],
  ["history", (frame) => timeline.answer(frame)],
  ["completion", (frame) => completion.receive(frame)],
  ["versions", (frame) => versions.receive(frame)],
  ["reacted", (frame) => reactions.settle(frame)],
  ["me", (frame) => hearing.takeMe(frame)],
  ["ignored", ({ people }) => ignoring.take(people)],
  ["reported", (frame) => reportDialog.done(frame)],
  ["reports", (frame) => reportCount.show(frame)],
  ["presence", (frame) => presence.show(frame)],
  ["typing", (frame) => typing.show(frame)],
  ["rooms", takeRooms],
  ["start_over", (frame) => hearing.startOver(frame)],
]);

/** @param {Frame} frame */
function takeRooms({ rooms, complete, ignored }) {
  ignoring.take(ignored);
  ownRooms.take(rooms, complete);
  push.take(rooms);
  const isHere = (/** @type {OwnRoom} */ { name }) => name === data.room;
  alerts.take(
    rooms.filter((/** @type {OwnRoom} */ room) => !isHere(room)),
    complete,
  );
  /** @type {OwnRoom | undefined} */
  const here = rooms.find(isHere);
  if (!here) return;
  if (here.involvement === null) location.assign(find(document, ".site-name", HTMLAnchorElement).href);
  else if (here.read !== null) marks.take(here.read, here.unread, here.last_offset);
}

function showUnread() {
  unreadSign.show(marks.unread + ownRooms.unread);
}

log.lines.readerId = presence.readerId = typing.readerId = data.person.id;
log.lines.showOrigin = data.showOrigin;
log.lines.menu = menu;
log.lines.reactions = reactions;
log.lines.ignores = typing.ignores = (personId) => ignoring.has(personId);
ignoring.changed = () => log.refresh();
limits.ask = () => connection.send({ me: true });
log.lines.mayRemoveLinks = ({ userId }) => standing.moderates || userId === standing.person.id;
new MessagePresses(log, menu, reacting).removeLink = ({ offset }, url) => {
  if (!connection.send({ remove_preview: offset, url })) notice.say(NOT_CONNECTED);
};
reacting.leadMenu(menu);
reactions.changed = (offset) => log.showReactions(offset);
new TypingSign(input, (isTyping) => {
  if (!standing.readsOnly) connection.send({ typing: isTyping });
});
composer.editLast = () => {
  // The last one can't be edited while it is on its way, or later than what is shown; any other isn't meant.
  if (outbox.empty && timeline.live && log.lastOwn) editing.begin(log.lastOwn);
};
outbox.transmit = (id, text, quote, files) => {
  const isSent = connection.send({
    message: text,
    client_id: id,
    ...(quote && { reply_to: quote.offset }),
    ...(files.length > 0 && { attachments: files.map((file) => file.id) }),
  });
  if (!isSent) connection.insist();
  return isSent;
};
outbox.stalled = () => connection.renew();
for (const text of outbox.keepIn(storageKey("outbox", data.person, data.room))) composer.restore(text);
offerFiles({ tray, composer, outbox, log, standing, input }, data.files, storageKey("files", data.person, data.room));
timeline.loaded = (messages) => {
  for (const message of messages) outbox.settle(message.clientId);
};
marks.send = (frame) => !standing.readsOnly && connection.send(frame);
marks.end = () => position.offset;
marks.endInView = () => follower.following;
marks.markNew = (read) => log.newLine.mark(read);
marks.changed = () => {
  ownRooms.countHere(marks.unread);
  push.readHere(marks.unread);
  showUnread();
};
ownRooms.addEventListener("unread", showUnread);
ownRooms.ask = send;
alerts.label = (room) => ownRooms.label(room);
alerts.involvement = (room) => ownRooms.involvement(room);
alerts.pushed = () => push.isNotified;
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
const firstNew = data.unread > 0 ? log.newLine.mark(data.read) : null;
if (firstNew && data.at === null) follower.toLine(firstNew);
follower.atEnd = () => marks.look();
follower.takePageKeys(input);
scroller.addEventListener("beforefold", () => follower.hold());

connection.addEventListener("frame", (event) => {
  const frame = /** @type {CustomEvent<Frame>} */ (event).detail;
  const take = takers.get(frame.kind);
  if (take) take(frame);
  else hearing.hear(frame);
});
connection.addEventListener("state", () => {
  outbox.resume();
  timeline.resume();
  if (connection.state !== "open") typing.clear(); // nobody says when they stop
  if (connection.state === "open") marks.look();
  if (connection.state === "open") reactions.resume();
  if (connection.state === "open") reportCount.follow();
  if (connection.state === "refused") personChange.leave();
  for (const notice of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-close-code]"))) {
    notice.hidden = connection.state !== "refused" || Number(notice.dataset.closeCode) !== connection.closeCode;
  }
});
identity.watch(data.person, data.firstVisit);
status.follow(connection);
connection.open();
showUnread();

addEventListener("online", () => connection.renew());
afterSleep(() => connection.renew());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connection.retryNow();
});

offerKeys(find(document, "#chat-keys", HTMLDialogElement), [
  find(document, "#keys-open", HTMLButtonElement),
  find(document, "#keys-open-aside", HTMLButtonElement),
]);
composer.takeKeys(scroller);
if (!standing.readsOnly) {
  takeShared().then((shared) => {
    if (shared?.text) composer.restore(shared.text);
    if (shared?.files.length) tray.add(shared.files);
  });
}
followKeyboard();
registerServiceWorker();
