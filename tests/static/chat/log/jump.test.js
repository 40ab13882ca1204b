// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Jump } from "../../../../static/chat/log/jump.js";

/** @import { Frame } from "../../../../static/chat/connection/connection.js" */
/** @import { Part } from "../../../../static/chat/log/jump.js" */

/** @type {Frame[]} */
let asked;
/** @type {Part[]} */
let shown;
/** @type {string[]} */
let faults;

beforeEach(() => {
  [asked, shown, faults] = [[], [], []];
  mock.timers.enable({ apis: ["setTimeout"] });
});
afterEach(() => mock.timers.reset());

const newJump = () =>
  new Jump(
    (question) => asked.push(question) > 0,
    (part) => shown.push(part),
    (fault) => faults.push(fault),
  );

/**
 * @param {number} nth question
 * @param {number[]} offsets
 * @param {boolean} more
 */
const answer = (nth, offsets, more) => ({
  kind: "history",
  request: asked[nth]?.request,
  messages: offsets.map((offset) => ({ offset })),
  more,
});

test("jump asks for both sides of an offset, and shows them once both have come, in whatever order", () => {
  const jump = newJump();
  jump.to(57);
  assert.deepEqual(
    asked.map(({ before, after }) => [before, after]),
    [
      [58, undefined],
      [undefined, 57],
    ],
  );
  assert.equal(jump.answer(answer(1, [58, 59], false)), true);
  assert.deepEqual(shown, []);
  assert.equal(jump.answer(answer(0, [56, 57], true)), true);
  const messages = [56, 57, 58, 59].map((offset) => ({ offset }));
  assert.deepEqual(shown, [{ at: 57, messages, earlier: true, later: false }]);
});

test("jump to the newest asks once, and shows a part that goes to the end", () => {
  const jump = newJump();
  jump.to(null);
  assert.equal(asked.length, 1);
  jump.answer(answer(0, [99, 100], true));
  assert.deepEqual(
    shown.map(({ at, earlier, later }) => [at, earlier, later]),
    [[null, true, false]],
  );
});

test("only the last of several jumps is shown, and answers to others are none of it", () => {
  const jump = newJump();
  jump.to(57);
  jump.to(null);
  assert.equal(jump.answer(answer(0, [57], true)), false);
  assert.equal(jump.answer({ kind: "history", messages: [], more: false }), false);
  jump.answer(answer(2, [100], true));
  assert.equal(shown.length, 1);
  assert.equal(jump.answer(answer(2, [100], true)), false);
});

test("jump is asked for again over the next connection, and given up when no answer comes", () => {
  const jump = newJump();
  jump.to(57);
  jump.resume();
  assert.equal(asked.length, 4);
  assert.equal(jump.answer(answer(0, [57], true)), false);
  mock.timers.tick(20_000);
  assert.deepEqual(faults, ["The server doesn’t answer."]);
  jump.resume();
  assert.equal(asked.length, 4);
});

test("jump whose question fails says why, once", () => {
  const jump = newJump();
  jump.to(57);
  assert.equal(jump.fail("of another", "?"), false);
  assert.equal(jump.fail(asked[0]?.request, "The database does not answer."), true);
  assert.equal(jump.fail(asked[1]?.request, "The database does not answer."), false);
  assert.deepEqual(faults, ["The database does not answer."]);
});
