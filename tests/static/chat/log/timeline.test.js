// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ChatLog } from "../../../../static/chat/log/chat-log.js";
import { ChatHistory } from "../../../../static/chat/log/history.js";
import { readMessage } from "../../../../static/chat/log/message.js";
import { Notice } from "../../../../static/chat/log/notice.js";
import { Timeline } from "../../../../static/chat/log/timeline.js";

/** @import { Frame } from "../../../../static/chat/connection/connection.js" */

customElements.define("chat-log", ChatLog);
customElements.define("chat-history", ChatHistory);

/** @type {Frame[]} */
let asked;

beforeEach(() => {
  asked = [];
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
  document.body.replaceChildren();
});

/** @param {string} id */
function newHistory(id) {
  const history = /** @type {ChatHistory} */ (document.createElement("chat-history"));
  history.id = id;
  history.dataset.end = "";
  history.innerHTML = "<button></button><p role=status></p>";
  document.body.append(history);
  return history;
}

/** A page that has heard all up to an offset. */
function newTimeline(position = 100) {
  const log = /** @type {ChatLog} */ (document.createElement("chat-log"));
  document.body.append(log);
  const [history, later] = [newHistory("chat-history"), newHistory("chat-later")];
  // The scroller and what follows it: nothing here has a size.
  const follower = /** @type {any} */ ({ following: true, live: true, ends: 0 });
  /** @param {() => void} change */
  const keepPlace = (change) => change();
  Object.assign(follower, { toEnd: () => follower.ends++, leaveEnd() {}, announce() {}, keepPlace });
  const notice = document.createElement("p");
  const parts = { log, history, later, follower, notice: new Notice(notice) };
  const timeline = new Timeline(parts, (question) => asked.push(question) > 0, position);
  return { timeline, later, follower, notice, texts: () => log.value.trim().split("\n").join(" ") };
}

/**
 * @param {number} offset
 * @param {Record<string, any>} [more]
 */
const frame = (offset, more = {}) => ({ kind: "message", message: `${offset}`, offset, user_id: "user-1", ...more });
/** @param {number} first @param {number} last */
const frames = (first, last) => Array.from({ length: last - first + 1 }, (_, nth) => frame(first + nth));
/** @param {Timeline} timeline @param {number} offset @param {Record<string, any>} [more] */
function hear(timeline, offset, more) {
  const message = readMessage(frame(offset, more));
  if (message) timeline.hear(message);
}

test("messages that come while an earlier part is shown stand there once that has been loaded to its end", () => {
  const { timeline, later, follower, texts } = newTimeline(6);
  timeline.show({ at: 2, messages: frames(1, 3), earlier: false, later: true });
  assert.deepEqual([timeline.live, follower.live], [false, false]);
  hear(timeline, 7);
  assert.equal(texts(), "1 2 3");

  later.load();
  assert.equal(asked[0]?.after, 3);
  hear(timeline, 8); // after the page was read, and before it comes
  timeline.answer({ kind: "history", messages: frames(4, 7), more: false, request: asked[0]?.request });

  assert.deepEqual([timeline.live, texts()], [true, "1 2 3 4 5 6 7 8"]);
  hear(timeline, 9);
  assert.equal(texts(), "1 2 3 4 5 6 7 8 9");
});

test("changes reach what is shown of an earlier part, and what is loaded after them", () => {
  const { timeline, later, texts } = newTimeline(6);
  timeline.show({ at: 2, messages: frames(1, 3), earlier: false, later: true });
  hear(timeline, 7, { kind: "edit", target: 2, message: "two" });
  assert.equal(texts(), "1 two 3");
  later.load();
  hear(timeline, 8, { kind: "edit", target: 5, message: "five" });
  timeline.answer({ kind: "history", messages: frames(4, 6), more: false, request: asked[0]?.request });
  assert.deepEqual([timeline.live, texts()], [true, "1 two 3 4 five 6"]);
});

test("page asks again where more was said during the question than it keeps", () => {
  const { timeline, later } = newTimeline(6);
  timeline.show({ at: 2, messages: frames(1, 3), earlier: false, later: true });
  later.load();
  for (let offset = 7; offset < 600; offset++) hear(timeline, offset);
  timeline.answer({ kind: "history", messages: frames(4, 6), more: false, request: asked[0]?.request });
  assert.equal(timeline.live, false);
  later.load();
  assert.equal(asked[1]?.after, 6);
});

test("message that is shown is found without a question, and one that isn't with two", () => {
  const { timeline, notice } = newTimeline(6);
  timeline.show({ at: null, messages: frames(3, 6), earlier: true, later: false });
  timeline.openAt(4);
  assert.deepEqual([asked.length, document.querySelector(".found .text")?.textContent], [0, "4"]);
  timeline.openAt(1);
  assert.equal(asked.length, 2);
  timeline.answer({ kind: "history", messages: [frame(2)], more: false, request: asked[0]?.request });
  timeline.answer({ kind: "history", messages: frames(3, 6), more: false, request: asked[1]?.request });
  assert.deepEqual(
    [notice.textContent, document.querySelector(".found")],
    ["That message is not here, or not any more. This is what is nearest to it.", null],
  );
});

test("start over shows the newest, whatever was shown before", () => {
  const { timeline, texts, follower } = newTimeline(6);
  timeline.show({ at: 2, messages: frames(1, 3), earlier: false, later: true });
  timeline.openAt(5);
  timeline.startOver(3);
  assert.deepEqual([timeline.live, follower.live, texts()], [true, true, ""]);
  assert.equal(asked.at(-1)?.before, 4);
  timeline.answer({ kind: "history", messages: frames(4, 5), more: false, request: asked[0]?.request });
  assert.equal(texts(), "");
});
