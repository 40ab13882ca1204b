// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { avatar, initial, tone } from "../../../../static/chat/log/avatar.js";

for (const [name, letter] of /** @type {[string, string][]} */ ([
  ["ann", "A"],
  [" ann", "A"],
  ["e\u0301mile", "É"],
  ["ßen", "ß"],
  ["👨‍👩‍👧‍👦 family", "👨‍👩‍👧‍👦"],
  ["🇩🇪🇫🇷", "🇩🇪"],
  ["", ""],
])) {
  test(`initial of “${name}” is “${letter}”`, () => assert.equal(initial(name), letter));
}

test("avatar has no text content that would be copied", () => {
  const circle = avatar("ann");
  assert.equal(circle.textContent, "");
  assert.equal(circle.dataset.initial, "A");
});

test("tone is the same for the same person each time, and one of eight", () => {
  assert.equal(tone("user-1"), tone("user-1"));
  const tones = Array.from({ length: 200 }, (_, nth) => tone(`user-${nth}`));
  assert.deepEqual([...new Set(tones)].sort(), ["0", "1", "2", "3", "4", "5", "6", "7"]);
});
