// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { readMessage } from "../../../../static/chat/log/message.js";
import { inFull } from "../../../../static/chat/reactions/emoji.js";
import { isFound, readEmoji } from "../../../../static/chat/reactions/emoji-list.js";
import { peopleOf, showReactions } from "../../../../static/chat/reactions/reaction-bar.js";
import { keepOwn, Reactions } from "../../../../static/chat/reactions/reactions.js";

/** @import { Frame } from "../../../../static/chat/connection/connection.js" */
/** @import { Message } from "../../../../static/chat/log/message.js" */

const READER = { id: "user-1", name: "Ann" };

/**
 * @param {Record<string, any>[]} reactions
 * @returns {Message}
 */
function message(reactions = []) {
  const read = readMessage({ message: "hi", offset: 7, reactions });
  if (read === null) throw new Error("no message");
  return read;
}

function newReactions() {
  /** @type {Frame[]} */
  const sent = [];
  const reactions = new Reactions(
    () => READER,
    (frame) => sent.push(frame) > 0,
  );
  return { reactions, sent };
}

/** @param {string | null} request */
const error = (request) => ({ code: "too_many_reactions", text: "", retryAfter: null, clientId: null, request });

const BEN = { emoji: "👍", count: 1, people: ["user-2"], names: ["Ben"] };

for (const [given, full] of [
  ["👍", "👍"],
  ["👍\ufe0f", "👍"],
  ["❤", "❤\ufe0f"],
  ["❤\ufe0f", "❤\ufe0f"],
  ["☝🏽", "☝🏽"],
  ["🏳\u200d🌈", "🏳\ufe0f\u200d🌈"],
  ["1\u20e3", "1\ufe0f\u20e3"],
  ["🇩🇪", "🇩🇪"],
]) {
  test(`emoji is written in full, as the server has it: ${given}`, () => assert.equal(inFull(given ?? ""), full));
}

test("own reaction is shown at once, and asked for under an id", () => {
  const { reactions, sent } = newReactions();
  reactions.toggle(message([BEN]), "👍");
  assert.deepEqual(sent, [{ react: 7, emoji: "👍", on: true, request: "reaction 1" }]);
  assert.deepEqual(reactions.shown(message([BEN])), [{ ...BEN, count: 2, own: true }]);
  const own = { emoji: "👍", count: 1, people: ["user-1"], names: ["Ann"], own: true };
  assert.deepEqual(reactions.shown(message()), [own]);
});

test("second press takes the reaction back, whether it is stored yet or not", () => {
  const { reactions, sent } = newReactions();
  reactions.toggle(message(), "👍");
  reactions.toggle(message(), "👍");
  assert.deepEqual(
    sent.map(({ on }) => on),
    [true, false],
  );
  assert.deepEqual(reactions.shown(message()), []);
  const stored = message([{ emoji: "👍", count: 1, people: ["user-1"], names: ["Ann"] }]);
  assert.deepEqual(reactions.shown(stored), []);
  reactions.settle({ request: "reaction 1" }); // an answer to the first is not one to the second
  assert.deepEqual(reactions.shown(stored), []);
  reactions.settle({ request: "reaction 2" });
  assert.equal(reactions.shown(stored)[0]?.own, true);
});

test("reaction that fails is shown no longer, and other errors are not about it", () => {
  const { reactions } = newReactions();
  /** @type {number[]} */
  const changed = [];
  reactions.changed = (offset) => changed.push(offset);
  reactions.toggle(message(), "👍");
  assert.equal(reactions.fail(error(null)), false);
  assert.equal(reactions.fail(error("history 1")), false);
  assert.equal(reactions.fail(error("reaction 1")), true);
  assert.deepEqual(reactions.shown(message()), []);
  assert.deepEqual(changed, [7, 7]);
});

test("reactions that are not answered are sent again over the next connection, and no others", () => {
  const { reactions, sent } = newReactions();
  reactions.toggle(message(), "👍");
  reactions.toggle(message(), "🎉");
  reactions.settle({ request: "reaction 1" });
  sent.length = 0;
  reactions.resume();
  assert.deepEqual(sent, [{ react: 7, emoji: "🎉", on: true, request: "reaction 2" }]);
});

test("own reaction among more than are named is known by what this page has set", () => {
  const people = Array.from({ length: 20 }, (_, number) => `user-${number + 10}`);
  const crowd = { emoji: "👍", count: 30, people, names: people };
  const { reactions } = newReactions();
  assert.equal(reactions.shown(message([crowd]))[0]?.own, false);
  reactions.toggle(message([crowd]), "👍");
  reactions.settle({ request: "reaction 1" });
  assert.deepEqual(reactions.shown(message([{ ...crowd, count: 31 }]))[0], { ...crowd, count: 31, own: true });
});

test("own reaction among more than are named is known by what the server said to this reader", () => {
  const people = Array.from({ length: 20 }, (_, number) => `user-${number + 10}`);
  const crowd = { emoji: "👍", count: 30, people, names: people };
  const { reactions, sent } = newReactions();
  const told = message([
    { ...crowd, own: true },
    { ...crowd, emoji: "🎉", own: false },
  ]);
  const later = { ...told, reactions: keepOwn(message([{ ...crowd, count: 31 }]).reactions, told.reactions) };
  for (const shown of [told, later]) assert.equal(reactions.shown(shown)[0]?.own, true);
  assert.equal(reactions.shown(told)[1]?.own, false);
  reactions.toggle(later, "👍");
  assert.deepEqual(sent, [{ react: 7, emoji: "👍", on: false, request: "reaction 1" }]);
  reactions.settle({ request: "reaction 1" });
  assert.equal(reactions.shown(later)[0]?.own, false);
});

test("people are named with the reader first, and the rest is counted", () => {
  const reaction = { emoji: "👍", count: 5, people: ["user-2", "user-1"], names: ["Ben", "Ann"], own: true };
  assert.equal(peopleOf(reaction, "user-1"), "You, Ben, and 3 others");
  assert.equal(peopleOf({ ...reaction, count: 3 }, "user-1"), "You, Ben, and 1 other");
  assert.equal(peopleOf({ ...reaction, count: 2, own: false }, "user-3"), "Ben and Ann");
});

test("button keeps its place and the focus while its emoji is there", () => {
  const line = document.createElement("div");
  document.body.append(line);
  const own = (/** @type {string} */ emoji, count = 1) => ({ emoji, count, people: [], names: [], own: false });
  showReactions(line, [own("👍"), own("🎉")], "");
  const [first, second] = line.querySelectorAll("button");
  second?.focus();
  assert.equal(showReactions(line, [own("🎉", 2), own("❤️")], ""), false);
  assert.equal(document.activeElement, second);
  assert.equal(second?.textContent, "🎉2");
  assert.equal(first?.isConnected, false);
  assert.deepEqual(
    Array.from(line.querySelectorAll("button.reaction"), (button) => button.textContent),
    ["🎉2", "❤️1"],
  );
  assert.equal(showReactions(line, [], ""), true);
  assert.equal(line.childElementCount, 0);
});

test("emoji is found by the beginnings of its words, by all of them, and by itself", () => {
  const given = { emoji: "🧑\u200d🚀", annotation: "astronaut", group: 1, tags: ["rocket", "outer space"] };
  const emoji = readEmoji({ ...given, shortcodes: ["astro_naut"], skins: [{ tone: 1, emoji: "🧑🏻\u200d🚀" }] });
  for (const search of ["", " ", "astro", "ROCK", "space outer", "naut", "🧑\u200d🚀"]) assert(isFound(emoji, search));
  for (const search of ["stronaut", "rocket moon", "🚀"]) assert(!isFound(emoji, search));
  assert.equal(emoji.skins.get(1), "🧑🏻\u200d🚀");
});
