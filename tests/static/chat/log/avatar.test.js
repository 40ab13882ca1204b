// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { avatar, initial, knowAvatars, tone } from "../../../../static/chat/log/avatar.js";

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

/** @param {HTMLElement} circle */
const address = (circle) => circle.querySelector("img")?.getAttribute("src") ?? null;

test("avatar shows the picture that the page was told of, and asks for that of a person who came later", () => {
  knowAvatars({ "user-1": "/people/id/user-1/avatar?v=1", "user-2": null });
  assert.equal(address(avatar("ann", "user-1")), "/people/id/user-1/avatar?v=1");
  assert.equal(address(avatar("ben", "user-2")), null);
  assert.equal(address(avatar("zoe", "user-3")), "/people/id/user-3/avatar");
  assert.equal(address(avatar("guest", "guest-0123456789abcdef")), null);
});

test("avatar keeps its letter until the picture is there, and asks once for a person who has none", () => {
  const circle = avatar("dan", "user-4");
  const image = /** @type {HTMLImageElement} */ (circle.querySelector("img"));
  assert.ok(!circle.classList.contains("pictured"));
  image.dispatchEvent(new Event("load"));
  assert.ok(circle.classList.contains("pictured"));
  image.dispatchEvent(new Event("error"));
  assert.equal(address(circle), null);
  assert.equal(address(avatar("dan", "user-4")), null);
});
