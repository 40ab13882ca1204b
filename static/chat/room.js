/** The page of a room: puts its parts together. */

import { ChatLog } from "./chat-log.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { ConnectionStatus } from "./connection-status.js";
import { Follower } from "./follower.js";
import { readMessage } from "./message.js";
import { ChatOutbox } from "./outbox.js";

customElements.define("chat-log", ChatLog);
customElements.define("chat-outbox", ChatOutbox);
customElements.define("connection-status", ConnectionStatus);

const { room, person, messageMax, showOrigin } = JSON.parse(document.querySelector("#room-data").textContent);
const scroller = document.querySelector("#chat-scroller");
const log = document.querySelector("#chat-log");
const outbox = document.querySelector("#chat-outbox");
const connection = new Connection(() => {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  return `${scheme}://${location.host}/ws/chat/${encodeURIComponent(room)}/`;
});
const follower = new Follower(scroller, document.querySelector("#chat-newest"));
const composer = new Composer(document.querySelector("#chat-composer"), messageMax, post);

log.readerId = person.id;
log.showOrigin = showOrigin;
outbox.transmit = (text) => connection.send({ message: text });

function post(text) {
  if (connection.state === "refused") return "This room cannot be reached, so nothing was sent.";
  if (outbox.full) return "Too many messages are waiting to be sent. Try again once you are connected.";
  outbox.add(text);
  follower.toEnd();
  return "";
}

function receive(message) {
  if (message.kind === "error") {
    composer.showError(message.text);
    composer.restore(outbox.takeBack() ?? "");
    return;
  }
  if (message.kind === "message" && message.userId === person.id) outbox.confirm(message.text);
  log.add(message);
  follower.announce();
}

connection.addEventListener("frame", ({ detail }) => {
  const message = readMessage(detail);
  if (message !== null) receive(message);
});
connection.addEventListener("state", () => {
  if (connection.state === "open") outbox.flush();
  else outbox.doubt();
  for (const notice of document.querySelectorAll("[data-close-code]")) {
    notice.hidden = connection.state !== "refused" || Number(notice.dataset.closeCode) !== connection.closeCode;
  }
});
document.querySelector("#chat-status").follow(connection);
connection.open();

addEventListener("online", () => connection.retryNow());
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
