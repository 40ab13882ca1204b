import assert from "node:assert/strict";
import { test } from "node:test";
import { isBlank, isDisguised } from "../../../static/chat/unseen.js";

test("isBlank is true for spaces and invisible characters", () => {
  for (const text of [
    "",
    " \n\t",
    "\u200b",
    "\u2800\u3164",
    "\ufffc",
    "\u034f",
    "\ufe0f",
    "\u180b",
    "\u17b4",
    "\u{e0100}",
  ])
    assert.ok(isBlank(text), JSON.stringify(text));
});

test("isBlank is false for texts with a visible character", () => {
  for (const text of ["a", "\u200bx", "❤️", "می‌خواهم", "\u0600"]) assert.ok(!isBlank(text), text);
});

test("isDisguised is true for names with superfluous invisible characters", () => {
  for (const character of "\u00ad\u034f\u115f\u17b4\u180e\u200b\u202e\u2060\u2066\u206a\ufeff\ufff0\u{1d173}\u{e0fff}")
    assert.ok(isDisguised(`a${character}b`), character.codePointAt(0)?.toString(16));
});

test("isDisguised is false for joiners, direction marks and variation selectors in use", () => {
  for (const name of ["👨‍👩‍👧‍👦", "❤️", "می‌خواهم", "שלום\u200f!", "🏴\u{e0067}\u{e0062}\u{e007f}", "ᠮ\u180b"])
    assert.ok(!isDisguised(name), name);
});
