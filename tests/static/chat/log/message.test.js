// @ts-check
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
