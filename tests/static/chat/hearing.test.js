// @ts-check
import "../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { Position } from "../../../static/chat/connection/position.js";
import { Hearing } from "../../../static/chat/hearing.js";
import { messageLine } from "../../../static/chat/log/message-line.js";

const MISSED = "Not all that was said while you were away is shown. Scroll up for the rest, as far as it is kept.";
const SET_BACK = "This room was set back to an earlier state: what was said after that is gone.";

for (const [offset, id, words] of /** @type {[number, string | null, string][]} */ ([
  [560, "other", MISSED],
  [57, null, MISSED],
  [57, "other", SET_BACK],
  [50, "earlier", SET_BACK],
  [0, null, SET_BACK],
])) {
  test(`start over at ${offset} with id ${id}, after 57, says ${JSON.stringify(words.slice(0, 16))}`, () => {
    const position = new Position(57, "last");
    /** @type {string[]} */
    const said = [];
    const timeline = {
      startOver: (/** @type {number} */ _position, /** @type {any} */ notice) =>
        said.push(messageLine(notice, /** @type {any} */ ({})).textContent ?? ""),
    };
    const parts = { position, timeline, connection: { send: () => true } };
    new Hearing(/** @type {any} */ (parts)).startOver({ kind: "start_over", message: "…", offset, id });
    assert.deepEqual(said, [words]);
    assert.deepEqual([position.offset, position.id], [offset, id]);
  });
}
