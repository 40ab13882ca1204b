// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessage } from "../../../../static/chat/log/message.js";

for (const frame of [{}, { pong: 7 }, { message: null }, { message: 7 }, { kind: "history", messages: [] }]) {
  test(`readMessage returns null for ${JSON.stringify(frame)}`, () => {
    assert.equal(readMessage(frame), null);
  });
}

test("readMessage takes a frame of a text alone as a message of “Someone”, sent now", () => {
  const message = readMessage({ message: "hello" });
  assert.equal(message?.kind, "message");
  assert.equal(message?.text, "hello");
  assert.equal(message?.userName, "Someone");
  assert.ok(Math.abs(Date.now() - (message?.sentAt.getTime() ?? 0)) < 10_000);
  for (const key of /** @type {const} */ (["offset", "clientId", "userId", "origin", "target", "subject"]))
    assert.equal(message?.[key], null);
});

for (const [key, value, read, expected] of /** @type {const} */ ([
  ["kind", "of a newer version", "kind", "message"],
  ["kind", "notice", "kind", "notice"],
  ["offset", "7", "offset", null],
  ["offset", 1.5, "offset", null],
  ["offset", 7, "offset", 7],
  ["deleted", "yes", "deleted", false],
  ["deleted", true, "deleted", true],
  ["user", "", "userName", "Someone"],
  ["user", 7, "userName", "7"],
])) {
  test(`readMessage reads ${key} ${JSON.stringify(value)} as ${read} ${JSON.stringify(expected)}`, () => {
    assert.equal(readMessage({ message: "hello", [key]: value })?.[read], expected);
  });
}

test("readMessage replaces an invalid time by the present one", () => {
  const sentAt = readMessage({ message: "hello", sent_at: "yesterday" })?.sentAt;
  assert.equal(Number.isNaN(sentAt?.getTime()), false);
});

test("readMessage takes keys that are null, as older servers send them, and keys that are missing for the same", () => {
  const said = { message: "hello", kind: "message", sent_at: "2026-01-31T14:29:07Z" };
  const nulls = { id: null, offset: null, client_id: null, user: null, user_id: null, origin: null };
  assert.deepEqual(readMessage({ ...said, ...nulls }), readMessage(said));
});
