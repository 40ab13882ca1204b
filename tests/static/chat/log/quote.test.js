// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { beginning, changedQuote, quoteElement, readQuote } from "../../../../static/chat/log/quote.js";

const FAMILY = "👨\u200d👩\u200d👧\u200d👦";
const QUOTE = { offset: 7, userId: "user-1", userName: "Ann", text: "hello" };

/** @type {[text: string, quoted: string][]} the same as in tests/chat/domain/test_texts.py */
const BEGINNINGS = [
  ["hi", "hi"],
  ["x".repeat(200), "x".repeat(200)],
  ["x".repeat(201), `${"x".repeat(199)}…`],
  ["1\n2\n3", "1\n2\n3"],
  ["1\n2\n3\n4", "1\n2\n3…"],
  ["\n\n1\n \n2\n\n3", "1\n2\n3"],
  ["\n".repeat(500), "…"],
  [`${"x".repeat(198)}${FAMILY}y`, `${"x".repeat(198)}…`],
  [`${"x".repeat(198)}e\u0301y`, `${"x".repeat(198)}…`],
  [`e${"\u0301".repeat(4000)}`, `e${"\u0301".repeat(198)}…`],
  [FAMILY.repeat(100), `${FAMILY.repeat(28)}…`],
];
for (const [text, quoted] of BEGINNINGS) {
  test(`beginning of a text is cut as the server cuts it: ${JSON.stringify(text).slice(0, 30)}`, () => {
    assert.equal(beginning(text), quoted);
  });
}

test("quote is read from a frame, with nothing but the offset where its message is gone", () => {
  const frame = { offset: 7, user: "Ann", user_id: "user-1", message: "hello" };
  assert.deepEqual(readQuote(frame), QUOTE);
  assert.deepEqual(readQuote({ offset: 7 }), { offset: 7, userId: null, userName: null, text: null });
  for (const bad of [undefined, null, {}, { offset: "7" }, { offset: 1.5 }, "7", 7]) assert.equal(readQuote(bad), null);
});

test("quote changes with edits and goes with a deletion for good", () => {
  assert.equal(changedQuote(QUOTE, { text: "1\n2\n3\n4" }).text, "1\n2\n3…");
  assert.deepEqual(changedQuote(QUOTE, {}), QUOTE);
  const gone = { offset: 7, userId: null, userName: null, text: null };
  assert.deepEqual(changedQuote(QUOTE, { text: "", deleted: true }), gone);
  assert.deepEqual(changedQuote(gone, { text: "back again" }), gone);
});

test("quote on the page is text, names the reader You, and leads to its message", () => {
  const quote = quoteElement({ ...QUOTE, text: "<b>hello</b>" }, "user-2");
  assert.deepEqual([quote.getAttribute("href"), quote.textContent], ["?at=7", "Ann <b>hello</b>"]);
  assert.equal(quoteElement(QUOTE, "user-1").textContent, "You hello");
  assert.equal(quoteElement({ ...QUOTE, userName: null, text: null }, null).textContent, "Deleted, or no longer kept");
});
