// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { withOwnRoom } from "../../../static/graphiql/examples.js";

/** @returns {any} a browser's storage */
function browser() {
  const kept = new Map();
  return {
    getItem: (/** @type {string} */ key) => kept.get(key) ?? null,
    setItem: (/** @type {string} */ key, /** @type {string} */ value) => kept.set(key, value),
  };
}

test("examples have a room that stays the same in a browser and is another in each", () => {
  const [one, other] = [browser(), browser()];
  const text = 'createRoom(name: "club") postMessage(roomName: "club", message: "Welcome!")';

  const first = withOwnRoom(text, one);

  assert.match(first, /^createRoom\(name: "(club-[0-9a-f]{8})"\) postMessage\(roomName: "\1", message: "Welcome!"\)$/);
  assert.equal(withOwnRoom(text, one), first);
  assert.notEqual(withOwnRoom(text, other), first);
});
