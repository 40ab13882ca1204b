// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ChatHistory } from "../../../../static/chat/log/history.js";

customElements.define("chat-history", ChatHistory);

/** @type {{ before: number, request: string }[]} */
let asked;
let connected = true;
let start = 41;

beforeEach(() => {
  asked = [];
  connected = true;
  start = 41;
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => {
  mock.timers.reset();
  document.body.replaceChildren();
});

/** The history of a room whose log begins at `start`, and has something before that. */
function newHistory() {
  const history = /** @type {ChatHistory} */ (document.createElement("chat-history"));
  history.innerHTML = "<button></button><p role=status></p>";
  history.id = "chat-history";
  history.dataset.load = "Load older messages";
  history.dataset.end = "Beginning of the room";
  history.dataset.failed = "Older messages could not be loaded:";
  document.body.append(history);
  history.start = () => start;
  history.ask = (before, request) => {
    if (connected) asked.push({ before, request });
    return connected;
  };
  history.more = true;
  return history;
}

const button = () => /** @type {HTMLButtonElement} */ (document.querySelector("button"));
const status = () => document.querySelector("[role=status]")?.textContent;
const request = () => asked.at(-1)?.request ?? "";

/** @param {number[]} offsets */
const page = (...offsets) => ({ kind: "history", messages: offsets.map(entry), more: true });
/** @param {number} offset */
const entry = (offset) => ({ kind: "message", message: `text ${offset}`, offset });
/** @param {import("../../../../static/chat/log/message.js").Message[] | null} messages */
const offsetsOf = (messages) => messages?.map(({ offset }) => offset);

test("history asks for one page at a time, under an id of its own", () => {
  const history = newHistory();
  history.load();
  history.load();
  assert.deepEqual(
    asked.map(({ before }) => before),
    [41],
  );
  assert.equal(button().textContent, "Loading…");
  assert.deepEqual(offsetsOf(history.answer({ ...page(39, 40), request: request() })), [39, 40]);
  start = 39;
  history.load();
  assert.equal(new Set(asked.map(({ request }) => request)).size, 2);
});

test("history takes an answer without an id, as older servers send it, for its question", () => {
  const history = newHistory();
  history.load();
  assert.deepEqual(offsetsOf(history.answer(page(40))), [40]);
});

test("history ignores an answer to a question it did not ask", () => {
  const history = newHistory();
  assert.equal(history.answer({ ...page(40), request: "what" }), null);
  assert.equal(history.answer(page(40)), null);
  history.load();
  assert.equal(history.answer({ ...page(40), request: "what" }), null);
  assert.equal(button().textContent, "Loading…");
});

test("failed question for history shows the error and is asked again by the button alone", () => {
  const history = newHistory();
  history.load();
  assert.equal(history.fail(request(), "The database does not answer."), true);
  assert.equal(button().textContent, "Try again");
  assert.match(status() ?? "", /could not be loaded: The database does not answer\./);
  history.load();
  assert.equal(asked.length, 1);
  button().click();
  assert.equal(asked.length, 2);
  assert.equal(button().textContent, "Loading…");
  assert.equal(status(), "");
});

test("error about something else leaves the question for history open", () => {
  const history = newHistory();
  history.load();
  assert.equal(history.fail("another", "What?"), false);
  assert.equal(history.fail(null, "What?"), false);
  assert.equal(button().textContent, "Loading…");
});

test("question for history without an answer fails after 20 seconds", () => {
  const history = newHistory();
  history.load();
  mock.timers.tick(20_000);
  assert.equal(button().textContent, "Try again");
});

test("question for history is asked again over the next connection", () => {
  const history = newHistory();
  history.load();
  const first = request();
  connected = false;
  history.resume();
  connected = true;
  history.resume();
  assert.equal(asked.length, 2);
  assert.equal(history.answer({ ...page(40), request: first }), null);
  assert.deepEqual(offsetsOf(history.answer({ ...page(40), request: request() })), [40]);
});

test("history ignores an answer to a question from before a reload", () => {
  const history = newHistory();
  history.load();
  const first = request();
  start = 813;
  history.reload();
  assert.equal(history.answer({ ...page(40), request: first }), null);
  assert.equal(button().textContent, "Loading…");
  assert.deepEqual(offsetsOf(history.answer({ ...page(812), request: request() })), [812]);
});

test("answer that does not join the log's beginning ends the loading", () => {
  const history = newHistory();
  history.load();
  start = 60;
  assert.equal(history.answer({ ...page(40), request: request() }), null);
  assert.equal(button().textContent, "Load older messages");
});

for (const moment of ["before the question", "during the question"]) {
  test(`deletion that came ${moment} removes the text from an older answer with it`, () => {
    const history = newHistory();
    if (moment === "before the question") history.noteChange(39, { text: "", deleted: true });
    history.load();
    if (moment === "during the question") history.noteChange(39, { text: "", deleted: true });
    const messages = history.answer({ ...page(38, 39, 40), request: request() });
    assert.deepEqual(
      messages?.map(({ text, deleted }) => [text, deleted]),
      [
        ["text 38", false],
        ["", true],
        ["text 40", false],
      ],
    );
  });
}

test("answer has the last of the changes that were noted, and none after a deletion", () => {
  const history = newHistory();
  history.load();
  history.noteChange(38, { text: "second", editedAt: new Date(0) });
  history.noteChange(38, { text: "third", editedAt: new Date(1) });
  history.noteChange(39, { text: "", deleted: true });
  history.noteChange(39, { text: "late", editedAt: new Date(2) });
  const messages = history.answer({ ...page(38, 39), request: request() });
  assert.deepEqual(
    messages?.map(({ text, deleted }) => [text, deleted]),
    [
      ["third", false],
      ["", true],
    ],
  );
});

test("reload of the history forgets the changes that were noted before", () => {
  const history = newHistory();
  history.noteChange(39, { text: "", deleted: true });
  history.reload();
  const messages = history.answer({ ...page(39), request: request() });
  assert.deepEqual(
    messages?.map(({ deleted }) => deleted),
    [false],
  );
});

test("history without more pages says “Beginning of the room” and asks nothing", () => {
  const history = newHistory();
  history.more = false;
  history.load();
  assert.deepEqual(asked, []);
  assert.equal(status(), "Beginning of the room");
  assert.equal(button().hidden, true);
});
