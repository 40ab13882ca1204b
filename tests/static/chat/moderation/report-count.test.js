// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ReportCount } from "../../../../static/chat/moderation/report-count.js";
import { Standing } from "../../../../static/chat/standing.js";

/** @import { Frame } from "../../../../static/chat/connection/connection.js" */

const PERSON = { id: "user-1", name: "Ann", isGuest: false };

/** @param {boolean} moderates */
function counted(moderates) {
  const link = document.createElement("a");
  link.hidden = true;
  /** @type {Frame[]} */
  const sent = [];
  const standing = new Standing({ person: PERSON, moderates, owns: false, readOnly: false });
  return { link, sent, standing, count: new ReportCount(link, (frame) => sent.push(frame) > 0, standing) };
}

test("moderator's page asks for the count, and shows it while there is any", () => {
  const { link, sent, count } = counted(true);
  count.follow();
  assert.deepEqual(sent, [{ reports: true, request: "reports" }]);
  count.show({ kind: "reports", open: 1 });
  assert.deepEqual([link.hidden, link.ariaLabel], [false, "1 reported message"]);
  count.show({ kind: "reports", open: 2 });
  assert.equal(link.ariaLabel, "2 reported messages");
  count.show({ kind: "reports", open: 0 });
  assert.equal(link.hidden, true);
});

test("others' pages ask for nothing, and hide the count with the role", () => {
  const { link, sent, standing, count } = counted(true);
  count.show({ kind: "reports", open: 3 });
  standing.role = "member";
  count.follow();
  assert.deepEqual([sent, link.hidden], [[], true]);
});
