// @ts-check
import "../dom.js";
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { EventStreamTransport } from "../../../static/graphiql/event-stream.js";

/** @import { Memory } from "../../../static/graphiql/outcomes.js" */

/** @type {Response} what the server answers */
let answer;
/** @type {RequestInit[]} */
let asked = [];

beforeEach(() => {
  asked = [];
  mock.method(globalThis, "fetch", async (/** @type {string} */ _url, /** @type {RequestInit} */ options) => {
    asked.push(options);
    return answer;
  });
});

/**
 * Subscribes, and gives what was told once that is all.
 *
 * @param {Response} given
 * @param {Memory} [memory]
 */
async function told(given, memory = {}) {
  answer = given;
  /** @type {unknown[][]} */
  const all = [];
  await new Promise((resolve) => {
    new EventStreamTransport("/graphql").subscribe({ query: "q" }, { Authorization: "Bearer x" }, memory, {
      waits: (isWaiting) => isWaiting && all.push(["waits"]),
      opened: () => all.push(["opened"]),
      next: (result) => all.push(["next", result]),
      ended: (problem) => resolve(all.push(["ended", problem])),
      lost: (reason) => resolve(all.push(["lost", reason])),
    });
  });
  return all;
}

/** @param {string[]} parts as they arrive */
function stream(...parts) {
  const body = new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(new TextEncoder().encode(part));
      controller.close();
    },
  });
  return new Response(body);
}

test("events are read however they are cut, up to the end", async () => {
  const parts = ["id: 5\n\n:\n\nid: 6\nevent: ne", 'xt\ndata: {"data":1}\n', "\nevent: complete\ndata:\n\n"];
  /** @type {Memory} */
  const memory = {};
  assert.deepEqual(await told(stream(...parts), memory), [["opened"], ["next", { data: 1 }], ["ended", null]]);
  assert.deepEqual(memory, { lastEventId: "6", resumes: true });
});

test("events that break off are lost, and are asked for from the last id", async () => {
  assert.deepEqual(await told(stream("id: 5\n\n")), [["opened"], ["lost", "The connection was lost."]]);
  const restarting = stream("retry: 700\n\n");
  assert.deepEqual((await told(restarting, { lastEventId: "5" })).at(-1), ["lost", "The server is being restarted."]);
  assert.deepEqual(asked[1]?.headers, {
    Authorization: "Bearer x",
    "Content-Type": "application/json",
    Accept: "text/event-stream",
    "Last-Event-ID": "5",
  });
});

test("refusals are shown, unless they may pass", async () => {
  const errors = { errors: [{ message: "no" }] };
  assert.deepEqual(await told(Response.json(errors, { status: 403 })), [["ended", errors]]);
  assert.deepEqual(await told(new Response("", { status: 500 })), [["ended", "The server answered 500."]]);
  assert.deepEqual(await told(new Response("", { status: 503 })), [["lost", "The server answered 503."]]);
});
