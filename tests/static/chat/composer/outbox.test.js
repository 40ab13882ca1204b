// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ChatOutbox } from "../../../../static/chat/composer/outbox.js";
import { Upload } from "../../../../static/chat/files/upload.js";
import { UploadBatch } from "../../../../static/chat/files/upload-batch.js";
import { pretendRequests, requests, taken } from "../files/requests.js";

customElements.define("chat-outbox", ChatOutbox);

const UNAVAILABLE = { code: "unavailable", text: "The database does not answer.", retryAfter: null };
const TOO_FAST = { code: "rate_limited", text: "That was too fast.", retryAfter: 3 };
const TOO_LONG = { code: "message_too_long", text: "The message is too long.", retryAfter: null };
const INTERNAL = { code: "internal_error", text: "Something went wrong on the server.", retryAfter: null };

/** @type {[id: string, text: string][]} sent texts, in order */
let sent;
let connected = true;

beforeEach(() => {
  sent = [];
  connected = true;
  sessionStorage.clear();
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(Math, "random", () => 1);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** @param {string[]} texts that are added to it */
function outboxOf(...texts) {
  const outbox = /** @type {ChatOutbox} */ (document.createElement("chat-outbox"));
  outbox.transmit = (id, text) => {
    if (connected) sent.push([id, text]);
    return connected;
  };
  outbox.keepIn("outbox");
  for (const text of texts) outbox.add(text);
  return outbox;
}

const texts = () => sent.map(([, text]) => text);
const lastId = () => sent.at(-1)?.[0] ?? "";

/**
 * @param {ChatOutbox} outbox
 * @param {{ code: string, text: string, retryAfter: number | null }} error about what went out last
 */
function refuse(outbox, error) {
  return outbox.postpone(lastId(), { ...error, clientId: lastId(), request: null });
}

test("outbox sends a text at once, and the next when that is settled", () => {
  const outbox = outboxOf("one", "two");
  assert.deepEqual(texts(), ["one"]);
  assert.equal(outbox.settle(lastId()), "one");
  assert.deepEqual(texts(), ["one", "two"]);
});

test("outbox sends an unanswered text again over the next connection, under the same id", () => {
  const outbox = outboxOf("one");
  outbox.resume();
  assert.deepEqual(texts(), ["one", "one"]);
  assert.equal(new Set(sent.map(([id]) => id)).size, 1);
});

test("outbox sends texts written without a connection in order once there is one", () => {
  connected = false;
  const outbox = outboxOf("one", "two", "three");
  connected = true;
  outbox.resume();
  while (outbox.settle(lastId()) !== null);
  assert.deepEqual(texts(), ["one", "two", "three"]);
});

for (const [error, seconds] of /** @type {const} */ ([
  [UNAVAILABLE, 1],
  [INTERNAL, 1],
  [TOO_FAST, 3],
])) {
  test(`outbox sends a text refused by ${error.code} again under its id, before any other`, () => {
    const outbox = outboxOf("one", "two");
    assert.equal(refuse(outbox, error), true);
    mock.timers.tick(seconds * 1000 - 1);
    assert.deepEqual(texts(), ["one"]);
    mock.timers.tick(1);
    assert.deepEqual(texts(), ["one", "one"]);
    assert.equal(sent[0]?.[0], sent[1]?.[0]);
    outbox.settle(lastId());
    assert.deepEqual(texts(), ["one", "one", "two"]);
  });
}

test("outbox keeps its pause despite a new text or a new connection", () => {
  const outbox = outboxOf("one");
  refuse(outbox, TOO_FAST);
  outbox.add("two");
  outbox.resume();
  mock.timers.tick(2_999);
  assert.deepEqual(texts(), ["one"]);
});

test("outbox sends the next text at once when a postponed one turns out to be stored", () => {
  const outbox = outboxOf("one", "two");
  refuse(outbox, UNAVAILABLE);
  outbox.settle(lastId());
  assert.deepEqual(texts(), ["one", "two"]);
});

test("pauses of the outbox grow to 30 seconds while the server is unavailable", () => {
  const outbox = outboxOf("one");
  const pauses = [];
  for (let refusals = 1; refusals <= 7; refusals++) {
    refuse(outbox, UNAVAILABLE);
    let seconds = 0;
    while (sent.length === refusals && seconds < 60) {
      mock.timers.tick(1_000);
      seconds += 1;
    }
    pauses.push(seconds);
  }
  assert.deepEqual(pauses, [1, 2, 4, 8, 16, 30, 30]);
});

test("outbox gives a text back after five internal errors", () => {
  const outbox = outboxOf("one");
  let kept = 0;
  while (refuse(outbox, INTERNAL) && kept < 10) {
    kept += 1;
    mock.timers.tick(30_000);
  }
  assert.equal(kept, 4);
  assert.equal(outbox.settle(lastId()), "one");
});

test("outbox does not keep a text that is finally refused", () => {
  assert.equal(refuse(outboxOf("one"), TOO_LONG), false);
});

test("outbox ignores refusals of texts that are not its own", () => {
  const outbox = outboxOf("one");
  assert.equal(outbox.postpone("another", { ...UNAVAILABLE, clientId: "another", request: null }), false);
  assert.equal(outbox.postpone(null, { ...UNAVAILABLE, clientId: null, request: null }), false);
  assert.equal(outbox.settle("another"), null);
  assert.equal(outbox.settle(null), null);
});

test("outbox calls stalled when no answer comes, and not during a pause", () => {
  const outbox = outboxOf("one");
  outbox.stalled = mock.fn();
  outbox.resume();
  refuse(outbox, { ...UNAVAILABLE, retryAfter: 60 });
  mock.timers.tick(59_000);
  assert.equal(/** @type {any} */ (outbox.stalled).mock.callCount(), 0);
  mock.timers.tick(1_000);
  mock.timers.tick(20_000);
  assert.equal(/** @type {any} */ (outbox.stalled).mock.callCount(), 1);
});

test("outbox after a reload takes over unsettled texts under the same ids", () => {
  const outbox = outboxOf("one", "two");
  const first = lastId();
  outbox.settle(first);
  const next = outboxOf();
  next.resume();
  assert.deepEqual(texts(), ["one", "two", "two"]);
  assert.equal(sent[1]?.[0], sent[2]?.[0]);
});

test("moveTo keeps the texts under the new key alone", () => {
  outboxOf("one").moveTo("another's");
  assert.equal(sessionStorage.getItem("outbox"), null);
  const next = outboxOf();
  next.keepIn("another's");
  next.resume();
  assert.deepEqual(texts(), ["one", "one"]);
});

test("moveTo joins the texts that were left under the new key", () => {
  connected = false;
  outboxOf("one").moveTo("another's");
  outboxOf("two").moveTo("another's");
  connected = true;
  const next = outboxOf();
  next.keepIn("another's");
  next.resume();
  while (next.settle(lastId()) !== null);
  assert.deepEqual(texts().sort(), ["one", "two"]);
});

test("outbox is full with a hundred texts", () => {
  const outbox = outboxOf(...Array.from({ length: 99 }, (_, number) => String(number)));
  assert.equal(outbox.full, false);
  outbox.add("99");
  assert.equal(outbox.full, true);
});

for (const nonsense of ["{", '"text"', "null", "7", '["text"]', "[[1, 2]]", "[null]"]) {
  test(`outbox takes storage that holds ${nonsense} for empty`, () => {
    sessionStorage.setItem("outbox", nonsense);
    const outbox = outboxOf("one");
    assert.deepEqual(texts(), ["one"]);
    assert.equal(outbox.childElementCount, 1);
  });
}

/** @param {string[]} names of files that are uploaded in the test */
function batchOf(...names) {
  pretendRequests();
  const batch = new UploadBatch();
  for (const name of names) batch.add(new Upload(new File([], name), "/files/", () => ""));
  return batch;
}

test("outbox sends a message once its files are uploaded, and none before it", () => {
  const outbox = outboxOf();
  /** @type {string[][]} */
  const files = [];
  outbox.transmit = (id, text, _quote, attachments) => {
    sent.push([id, text]);
    files.push(attachments.map(({ id }) => id));
    return true;
  };
  outbox.add("with files", null, batchOf("a", "b"));
  outbox.add("later");
  outbox.resume();
  assert.deepEqual(texts(), []);
  assert.match(outbox.textContent, /Waiting for its files/);
  assert.ok(outbox.uploading);
  for (const [index, name] of ["a", "b"].entries()) requests[index]?.answer(200, taken(name));
  assert.deepEqual([texts(), files], [["with files"], [["id of a", "id of b"]]]);
  outbox.settle(lastId());
  assert.deepEqual([texts(), files[1]], [["with files", "later"], []]);
});

test("outbox drops a message without text when its last file is taken back", () => {
  const outbox = outboxOf();
  outbox.add("", null, batchOf("a"));
  /** @type {HTMLElement} */ (outbox.querySelector(".upload-remove")).click();
  assert.ok(outbox.empty);
  assert.deepEqual(texts(), []);
});

test("outbox keeps uploaded files over a reload, and gives back texts whose files are lost", () => {
  const before = outboxOf();
  connected = false;
  before.add("uploaded", null, batchOf("a"));
  requests[0]?.answer(200, taken("a"));
  before.add("on its way", null, batchOf("b"));
  const after = /** @type {ChatOutbox} */ (document.createElement("chat-outbox"));
  /** @type {unknown[]} */
  const files = [];
  after.transmit = (_id, text, _quote, attachments) => files.push([text, attachments]) > 0;
  assert.deepEqual(after.keepIn("outbox"), ["on its way"]);
  after.resume();
  assert.deepEqual(files, [["uploaded", [taken("a")]]]);
});
