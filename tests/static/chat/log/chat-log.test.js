// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ChatLog } from "../../../../static/chat/log/chat-log.js";
import { readMessage } from "../../../../static/chat/log/message.js";
import { taken } from "../files/requests.js";

/** @import { Message } from "../../../../static/chat/log/message.js" */

customElements.define("chat-log", ChatLog);

const ANN = { user: "Ann", user_id: "user-1" };
const BEN = { user: "Ben", user_id: "user-2" };
const NOON = Date.UTC(2026, 0, 15, 12);

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => {
  mock.timers.reset();
  document.body.replaceChildren();
});

function newLog() {
  const log = /** @type {ChatLog} */ (document.createElement("chat-log"));
  log.lines.readerId = ANN.user_id;
  document.body.append(log);
  return log;
}

/**
 * @param {number} offset
 * @param {Record<string, any>} [frame] keys that differ from those of Ann's message of the offset, one second after the previous
 * @returns {Message}
 */
function entry(offset, frame = {}) {
  const sentAt = new Date(NOON + offset * 1000).toISOString();
  const message = readMessage({ message: String(offset), offset, sent_at: sentAt, ...ANN, ...frame });
  if (message === null) throw new Error("no message");
  return message;
}

/** @param {ChatLog} log */
const classes = (log) => Array.from(log.children, ({ className }) => className);

test("value of the log is the texts, a line each, without names and times", () => {
  const log = newLog();
  log.add(entry(1, { message: "one" }));
  log.add(entry(2, { message: "two\nlines", ...BEN }));
  assert.equal(log.value, "one\ntwo\nlines\n");
});

test("log puts a day before its first message, and continues a turn of the same person within minutes", () => {
  const log = newLog();
  log.add(entry(1));
  log.add(entry(2));
  log.add(entry(3, BEN));
  log.add(entry(4, { ...BEN, sent_at: new Date(NOON + 3_000 + 5 * 60_000).toISOString() }));
  log.add(entry(5, { ...BEN, sent_at: "2026-01-17T12:00:00Z" }));
  assert.deepEqual(classes(log), [
    "day",
    "message own",
    "message own continued",
    "message",
    "message",
    "day",
    "message",
  ]);
});

test("notice in the log ends a turn", () => {
  const log = newLog();
  log.add(entry(1));
  log.add(entry(2, { kind: "notice" }));
  log.add(entry(3));
  assert.deepEqual(classes(log), ["day", "message own", "notice-line", "message own"]);
});

test("older messages in the log join the day and the turn that are shown", () => {
  const log = newLog();
  log.add(entry(3));
  log.addOlder([entry(1), entry(2)]);
  assert.equal(log.value, "1\n2\n3\n");
  assert.deepEqual(classes(log), ["day", "message own", "message own continued", "message own continued"]);
});

test("older messages in the log are not announced to screen readers", () => {
  const log = newLog();
  log.ariaLive = "polite";
  log.add(entry(2));
  log.addOlder([entry(1)]);
  assert.equal(log.ariaLive, "off");
  mock.timers.tick(500);
  assert.equal(log.ariaLive, "polite");
});

test("log is quiet until half a second after the last of several pages of older messages", () => {
  const log = newLog();
  log.add(entry(3));
  log.addOlder([entry(2)]);
  mock.timers.tick(400);
  log.addOlder([entry(1)]);
  mock.timers.tick(400);
  assert.equal(log.ariaLive, "off");
  mock.timers.tick(100);
  assert.equal(log.ariaLive, "polite");
});

test("line New stands before the first message of others after the mark, once that is loaded, and all before it", () => {
  const log = newLog();
  log.addOlder([entry(1, BEN), entry(2, BEN)]);
  assert.equal(log.newLine.mark(2), null);
  log.addLater([entry(3), entry(4, BEN), entry(5, BEN)]);
  assert.deepEqual(classes(log), [
    "day",
    "message",
    "message continued",
    "message own",
    "new-line",
    "message",
    "message continued",
  ]);
  log.clear();
  log.add(entry(7, BEN));
  assert.equal(log.newLine.mark(2), null);
  log.addOlder([entry(3, BEN)]);
  assert.deepEqual(classes(log), ["day", "new-line", "message", "message continued"]);
});

test("deletion in the log has no line of its own and removes the text of its target", () => {
  const log = newLog();
  log.add(entry(1));
  log.add(entry(2));
  log.add(entry(3, { kind: "deletion", target: 1 }));
  assert.equal(log.value, "2\n");
  assert.equal(log.querySelectorAll(".message").length, 2);
  assert.equal(log.querySelector(".gone")?.textContent, "Deleted");
});

test("edit in the log has no line of its own and gives its target another text", () => {
  const log = newLog();
  log.add(entry(1));
  log.add(entry(2));
  log.add(entry(3, { kind: "edit", target: 1, message: "new" }));
  assert.equal(log.value, "new\n2\n");
  assert.equal(log.querySelectorAll(".edited").length, 1);
});

test("edit in the log changes nothing of a deleted message, nor where the edited one is deleted", () => {
  const log = newLog();
  log.add(entry(1));
  log.add(entry(2, { kind: "edit", target: 1, message: "", deleted: true }));
  assert.equal(log.value, "1\n");
  log.add(entry(3, { kind: "deletion", target: 1 }));
  log.add(entry(4, { kind: "edit", target: 1, message: "new" }));
  assert.equal(log.value, "");
});

test("deletion of a message that is not shown changes nothing in the log", () => {
  const log = newLog();
  log.add(entry(5));
  log.add(entry(6, { kind: "deletion", target: 1 }));
  log.add(entry(7, { kind: "deletion", target: null }));
  assert.equal(log.value, "5\n");
});

test("firstOffset is the lowest offset that was added, also of a deletion", () => {
  const log = newLog();
  assert.equal(log.firstOffset, null);
  log.add(entry(7));
  log.add(entry(8));
  assert.equal(log.firstOffset, 7);
  log.addOlder([entry(5, { kind: "deletion", target: 1 }), entry(6)]);
  assert.equal(log.firstOffset, 5);
  log.addOlder([]);
  assert.equal(log.firstOffset, 5);
  log.clear();
  assert.equal(log.firstOffset, null);
  assert.equal(log.childElementCount, 0);
});

test("trim removes the oldest lines of a long log, which still begins with a day", () => {
  const log = newLog();
  for (let offset = 1; offset <= 1_999; offset++) log.add(entry(offset));
  assert.equal(log.trim(), false);
  for (let offset = 2_000; offset <= 2_100; offset++) log.add(entry(offset));
  assert.equal(log.trim(), true);
  assert.equal(log.childElementCount, 2_000);
  assert.equal(log.firstOffset, 102);
  assert.deepEqual(classes(log).slice(0, 3), ["day", "message own", "message own continued"]);
});

test("value of the log excludes content from before the element was defined", () => {
  const log = /** @type {ChatLog} */ (document.createElement("chat-log"));
  log.innerHTML = '<div class="message"><p class="text">from the server</p></div>';
  document.body.append(log);
  assert.equal(log.value, "");
});

test("messages of guests are marked by their id and those of users are not", () => {
  const log = newLog();
  log.add(entry(1, { user: "Ben", user_id: "guest-4f" }));
  log.add(entry(2, BEN));
  log.add(entry(3, { user: "guest-4f", user_id: null }));
  const marked = Array.from(log.querySelectorAll(".author"), (author) => author.hasAttribute("data-guest"));
  assert.deepEqual(marked, [true, false, false]);
});

test("reply in the log shows its quote, which is none of its text, and changes with the message", () => {
  const log = newLog();
  const reply_to = { offset: 1, user: "Ben", user_id: "user-2", message: "one" };
  log.add(entry(1, { ...BEN, message: "one" }));
  log.add(entry(2, { reply_to }));
  log.add(entry(3, { reply_to: { ...reply_to, offset: 99 } }));
  const quotes = () => Array.from(log.querySelectorAll(".quote"), ({ textContent }) => textContent);
  assert.deepEqual([quotes(), log.value], [["Ben one", "Ben one"], "one\n2\n3\n"]);

  log.add(entry(4, { kind: "edit", target: 1, message: "better" }));
  assert.deepEqual([quotes(), log.value], [["Ben better", "Ben one"], "better\n2\n3\n"]);

  log.add(entry(5, { kind: "deletion", target: 1, message: "A message was deleted." }));
  log.add(entry(6, { kind: "deletion", target: 99, message: "A message was deleted." }));
  assert.deepEqual(quotes(), ["Deleted, or no longer kept", "Deleted, or no longer kept"]);
});

test("value of the log is what people wrote, however it is formatted, edited or deleted", () => {
  const log = newLog();
  log.add(entry(1, { message: "**a**\n\nb", html: "<p><strong>a</strong></p><p>b</p>" }));
  log.add(entry(2, { message: "*c*", html: "<p><em>c</em></p>" }));
  assert.equal(log.value, "**a**\n\nb\n*c*\n");
  assert.equal(log.querySelectorAll(".formatted")[1]?.innerHTML, "<p><em>c</em></p>");

  log.add(entry(3, { kind: "edit", target: 2, message: "`d`", html: "<p><code>d</code></p>" }));
  assert.equal(log.querySelectorAll(".formatted")[1]?.innerHTML, "<p><code>d</code></p>");
  log.add(entry(4, { kind: "edit", target: 2, message: "e" }));
  assert.equal(log.querySelectorAll(".formatted").length, 1);
  log.add(entry(5, { kind: "deletion", target: 1 }));
  assert.equal(log.querySelectorAll(".formatted").length, 0);
  assert.equal(log.value, "e\n");
});

test("messages of people whom the reader ignores are folded, keep their texts in the value, and unfold", () => {
  const log = newLog();
  log.lines.ignores = (id) => id === BEN.user_id;
  log.add(entry(1, BEN));
  log.add(entry(2));
  const folded = () => Array.from(log.querySelectorAll(".message"), (line) => line.classList.contains("ignored"));
  assert.deepEqual(folded(), [true, false]);
  assert.equal(log.value, "1\n2\n");
  log.change(1, { text: "edited", html: null });
  assert.deepEqual(folded(), [true, false]);
  log.lines.unfold(/** @type {Element} */ (log.querySelector(".ignored")));
  assert.deepEqual(folded(), [false, false]);
  log.change(1, { text: "edited again", html: null });
  assert.deepEqual(folded(), [false, false]);
  log.lines.ignores = () => false;
  log.refresh();
  assert.equal(log.value, "edited again\n2\n");
});

/** @param {string} name */
const picture = (name) => ({
  ...taken(name),
  type: "image/png",
  preview: { url: `/preview/${name}`, width: 1600, height: 800 },
});

test("log shows pictures in the size that they will have, players, and downloads", () => {
  const log = newLog();
  const sound = { ...taken("c.ogg"), type: "audio/ogg" };
  const film = { ...taken("d.mp4"), type: "video/mp4" };
  const page = { ...taken("e.html"), type: "text/html" };
  log.add(entry(1, { message: "look", attachments: [picture("a.png"), picture("b.png"), sound, film, page] }));
  const images = [...log.querySelectorAll("img")].filter((image) => image.src.includes("preview"));
  assert.deepEqual(
    images.map(({ alt, width, height }) => [alt, width, height]),
    [
      ["a.png", 360, 180],
      ["b.png", 360, 180],
    ],
  );
  const players = /** @type {NodeListOf<HTMLMediaElement>} */ (log.querySelectorAll("audio, video"));
  assert.deepEqual(
    Array.from(players, ({ tagName, controls, preload, ariaLabel }) => [tagName, controls, preload, ariaLabel]),
    [
      ["AUDIO", true, "metadata", "c.ogg"],
      ["VIDEO", true, "metadata", "d.mp4"],
    ],
  );
  assert.equal(log.querySelectorAll("a.file[download]").length, 3); // the players have theirs
  assert.equal(log.value, "look\n");
});

test("message of files alone has their names in the transcript, and no text on the page", () => {
  const log = newLog();
  log.add(entry(1, { message: "a.png\nb.txt", attachments: [picture("a.png"), taken("b.txt")] }));
  assert.equal(log.value, "a.png\nb.txt\n");
  assert.equal(log.querySelector(".text"), null);
});

test("deletion takes a message's files, and an edit leaves them", () => {
  const log = newLog();
  log.add(entry(1, { message: "a.png", attachments: [picture("a.png")] }));
  log.add(entry(2, { kind: "edit", target: 1, message: "a caption" }));
  assert.equal(log.querySelectorAll(".picture").length, 1);
  assert.equal(log.value, "a caption\n");
  log.add(entry(3, { kind: "deletion", target: 1, message: "" }));
  assert.equal(log.querySelectorAll(".files").length, 0);
  assert.equal(log.value, "");
});
