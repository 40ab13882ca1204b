// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReadMarks } from "../../../../static/chat/rooms/read-marks.js";

/** Marks of a reader who has read up to offset 4, and looks at something else. */
function marksOfAbsent() {
  const marks = new ReadMarks({ read: 4, unread: 0, firstVisit: false });
  let shown = 0;
  marks.changed = () => (shown = marks.unread);
  return { marks, shown: () => shown };
}

test("what has come since the server counted stays unread when it tells", () => {
  const { marks, shown } = marksOfAbsent();
  marks.count(5);
  marks.take(4, 0, 4);
  assert.deepEqual([marks.unread, shown()], [1, 1]);
  marks.count(6);
  marks.take(4, 1, 5);
  assert.equal(marks.unread, 2);
  marks.take(6, 0, 6); // on another device
  assert.deepEqual([marks.unread, shown()], [0, 0]);
});

test("what an older instance tells is all that is unread", () => {
  const { marks } = marksOfAbsent();
  marks.count(5);
  marks.take(4, 3);
  assert.equal(marks.unread, 3);
});
