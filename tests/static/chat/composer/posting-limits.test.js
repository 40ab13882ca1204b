// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { PostingLimits } from "../../../../static/chat/composer/posting-limits.js";
import { Standing } from "../../../../static/chat/standing.js";

const PERSON = { id: "user-1", name: "Ann", isGuest: false };
let now = 0;

beforeEach(() => {
  now = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  mock.method(performance, "now", () => now);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** @param {Partial<ConstructorParameters<typeof Standing>[0]> & { slowMode?: number }} given */
function limited({ slowMode = 0, ...given }) {
  const standing = new Standing({ person: PERSON, moderates: false, owns: false, readOnly: false, ...given });
  const form = document.createElement("form");
  form.innerHTML = '<p id="chat-slow-mode" hidden></p>';
  const sentence = document.createElement("p");
  const limits = new PostingLimits(form, sentence, standing, slowMode);
  const countdown = /** @type {HTMLElement} */ (form.firstElementChild);
  return { standing, form, sentence, limits, countdown };
}

/** @param {number} milliseconds */
function pass(milliseconds) {
  now += milliseconds;
  mock.timers.tick(milliseconds);
}

test("sentence stands in the place of the composer while the room is read-only", () => {
  const { form, sentence, limits, standing } = limited({ readOnly: true });
  assert.deepEqual([form.hidden, sentence.hidden], [true, false]);
  limits.hear({ kind: "notice", access: "writable" });
  assert.deepEqual([form.hidden, sentence.hidden], [false, true]);
  limits.hear({ kind: "notice", access: "read_only" });
  assert.notEqual(standing.fault, "");
  standing.role = "moderator";
  limits.show();
  assert.deepEqual([form.hidden, sentence.hidden, standing.fault], [false, true, ""]);
});

test("countdown runs after one's own message in slow mode, and after one that came too early", () => {
  const { countdown, limits } = limited({ slowMode: 3 });
  limits.posted();
  assert.equal(countdown.textContent, "Slow mode: you can write again in 3 s");
  pass(1_001);
  assert.equal(countdown.textContent, "Slow mode: you can write again in 2 s");
  pass(2_000);
  assert.equal(countdown.hidden, true);
  limits.fail({ code: "slow_mode", text: "", retryAfter: 1.5, clientId: null, request: null });
  assert.equal(countdown.textContent, "Slow mode: you can write again in 2 s");
});

test("moderators see no countdown, nor does anybody once slow mode is off", () => {
  const moderated = limited({ slowMode: 3, moderates: true });
  moderated.limits.posted();
  assert.equal(moderated.countdown.hidden, true);
  const { countdown, limits } = limited({ slowMode: 3 });
  limits.posted();
  limits.take({ kind: "me", read_only: false, slow_mode: 0 });
  assert.equal(countdown.hidden, true);
});

test("page asks for the limits after a notice of slow mode", () => {
  const { limits } = limited({});
  limits.ask = mock.fn(() => {});
  limits.hear({ kind: "notice", access: "slow_mode" });
  pass(1_000);
  assert.equal(/** @type {any} */ (limits.ask).mock.callCount(), 1);
});

test("composer and sentence both give way to the page's notice once the reader is excluded", () => {
  const { form, sentence, limits, standing } = limited({ readOnly: true });
  standing.excluded = true;
  limits.show();
  assert.deepEqual([form.hidden, sentence.hidden], [true, true]);
  limits.hear({ kind: "notice", access: "writable" });
  assert.deepEqual([form.hidden, sentence.hidden], [true, true]);
});
