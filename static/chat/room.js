/** The page of a room: puts its parts together. */

import { Composer } from "./composer/composer.js";
import { Draft } from "./composer/draft.js";
import { ChatOutbox } from "./composer/outbox.js";
import { Connection } from "./connection/connection.js";
import { ConnectionStatus } from "./connection/connection-status.js";
import { afterSleep } from "./connection/sleep.js";
import { find } from "./elements.js";
import { ChatLog } from "./log/chat-log.js";
import { Follower } from "./log/follower.js";
import { ChatHistory } from "./log/history.js";
import { readMessage } from "./log/message.js";
import { MessageMenu } from "./log/message-menu.js";

customElements.define("chat-history", ChatHistory);
customElements.define("chat-log", ChatLog);
customElements.define("chat-outbox", ChatOutbox);
customElements.define("connection-status", ConnectionStatus);

const data = JSON.parse(find(document, "#room-data", HTMLScriptElement).text);
const scroller = find(document, "#chat-scroller", HTMLElement);
const history = find(document, "#chat-history", ChatHistory);
const log = find(document, "#chat-log", ChatLog);
const outbox = find(document, "#chat-outbox", ChatOutbox);
const connection = new Connection(() => {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  // `as`: once logged out elsewhere, the page must not go on as somebody else without a word.
  const query = new URLSearchParams({ after: position, as: data.person.id });
  return `${scheme}://${location.host}/ws/chat/${encodeURIComponent(data.room)}/?${query}`;
});
const follower = new Follower(
  scroller,
  find(document, "#chat-end", HTMLElement),
  find(document, "#chat-newest", HTMLElement),
);
const composer = new Composer(
  find(document, "#chat-composer", HTMLFormElement),
  data.messageMax,
  new Draft(`draft of ${data.person.id} in ${data.room}`),
  post,
);
const menu = new MessageMenu(find(document, "#chat-menu", HTMLElement), [
  {
    label: "Delete",
    question: "Really delete?",
    allows: ({ kind, offset, deleted, userId }) =>
      kind === "message" && offset !== null && !deleted && (userId === data.person.id || data.moderates),
    act: ({ offset }) => connection.send({ delete: offset }),
  },
]);

/** The offset up to which the page has seen the room: the server sends what comes after it. */
let { position } = data;

function post(text) {
  if (connection.state === "refused") return "This room cannot be reached, so nothing was sent.";
  if (outbox.full) return "Too many messages are waiting to be sent. Try again once you are connected.";
  outbox.add(text);
  follower.toEnd();
  return "";
}

function receive(frame) {
  if (frame.kind === "history") {
    if (history.answer()) showOlder(frame);
    return;
  }
  const message = readMessage(frame);
  if (message === null) return;
  if (message.kind === "error") receiveError(message);
  else if (message.kind === "start_over") startOver(message);
  else receiveMessage(message);
}

function receiveMessage(message) {
  outbox.settle(message.clientId);
  if (message.offset !== null) {
    if (message.offset <= position) return;
    position = message.offset;
  }
  log.add(message);
  if (message.kind === "notice" && message.subject === data.person.id) lookUpRole();
  if (message.kind === "deletion") return;
  if (follower.following && log.trim()) history.more = true;
  follower.announce();
}

/** Somebody has given the reader another role, perhaps. If that can't be found out now, the next page has it. */
async function lookUpRole() {
  const query = "query ($room: String!) { room(name: $room) { role } }";
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables: { room: data.room } }),
  }).then(
    (response) => response.json(),
    () => null,
  );
  const role = answer?.data?.room?.role;
  data.moderates = role === "MODERATOR" || role === "OWNER";
  log.refresh();
}

function receiveError(error) {
  if (error.retryAfter !== null && outbox.postpone(error.clientId, error.retryAfter)) return;
  composer.showError(error.text);
  const text = outbox.settle(error.clientId);
  if (text !== null) composer.restore(text);
}

function showOlder(page) {
  const messages = page.messages.map(readMessage);
  for (const message of messages) outbox.settle(message.clientId);
  follower.keepPlace(() => {
    log.addOlder(messages);
    history.more = page.more;
  });
  // Nothing but deletions: there is nothing new to scroll to.
  if (messages.every(({ kind }) => kind === "deletion")) history.load();
}

/** What comes next does not follow what is shown. */
function startOver(notice) {
  position = notice.offset;
  log.clear();
  log.add({ ...notice, offset: null });
  follower.toEnd();
  history.reload();
}

log.readerId = data.person.id;
log.showOrigin = data.showOrigin;
log.menu = menu;
outbox.transmit = (id, text) => connection.send({ message: text, client_id: id });
outbox.stalled = () => connection.renew();
outbox.keepIn(`outbox of ${data.person.id} in ${data.room}`);
history.start = () => log.firstOffset ?? position + 1;
history.ask = (before) => connection.send({ before });
showOlder(data.history);
follower.toEnd();
follower.atStart = () => history.load();
follower.takePageKeys(find(document, "#chat-message-input", HTMLElement));
scroller.addEventListener("beforefold", () => follower.hold());

connection.addEventListener("frame", ({ detail }) => receive(detail));
connection.addEventListener("state", () => {
  outbox.sendAll();
  history.resume();
  for (const notice of document.querySelectorAll("[data-close-code]")) {
    notice.hidden = connection.state !== "refused" || Number(notice.dataset.closeCode) !== connection.closeCode;
  }
});
find(document, "#chat-status", ConnectionStatus).follow(connection);
connection.open();

addEventListener("online", () => connection.renew());
afterSleep(() => connection.renew());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") connection.retryNow();
});

document.addEventListener("keydown", (event) => {
  const elsewhere = document.activeElement !== document.body && document.activeElement !== scroller;
  const printable = [...event.key].length === 1 && event.key !== " ";
  if (elsewhere || !printable || event.ctrlKey || event.metaKey || event.altKey) return;
  // The key itself then lands in the input, so that one can type without a click.
  composer.focus();
});

// Where a phone's keyboard covers the page instead of shrinking it, only the visual viewport knows what can be seen.
window.visualViewport?.addEventListener("resize", () => {
  const { height, scale } = window.visualViewport;
  if (scale === 1) document.documentElement.style.setProperty("--visible-height", `${height}px`);
});
