// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { isLong, messageText } from "../../../../static/chat/log/message-text.js";

for (const [what, text, long] of /** @type {[string, string, boolean][]} */ ([
  ["nothing", "", false],
  ["30 lines", "\n".repeat(29), false],
  ["31 lines", "\n".repeat(30), true],
  ["30 rows in one line", "x".repeat(30 * 60), false],
  ["31 rows in one line", "x".repeat(30 * 60 + 1), true],
  ["marks on one letter", `a${"\u0301".repeat(4000)}`, false],
])) {
  test(`isLong is ${long} for ${what}`, () => assert.equal(isLong(text), long));
}

test("messageText folds a long text until its button is pressed, and announces each change beforehand", () => {
  const text = "line\n".repeat(100);
  const elements = messageText(text);
  document.body.append(...elements);
  const [words, button] = elements;
  let told = 0;
  document.body.addEventListener("beforefold", () => {
    told += 1;
    assert.equal(words?.classList.contains("folded"), told !== 2);
  });
  assert.equal(words?.textContent, text);
  assert.equal(button?.textContent, "Show more");
  button?.click();
  assert.equal(words?.classList.contains("folded"), false);
  assert.equal(button?.textContent, "Show less");
  assert.equal(told, 1);
});
