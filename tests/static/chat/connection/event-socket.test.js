// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { EventSocket } from "../../../../static/chat/connection/event-socket.js";
import { FakeEventSource } from "../../event-sources.js";
import { FakeSocket } from "../../sockets.js";

const ADDRESS = "ws://localhost/ws/chat/a%2Fb/?after=7&with=html";
const EVENTS = "/chat/a%2Fb/events/?after=7&with=html";
const CLOSED = 'event: close\ndata: {"code": 1000, "reason": ""}\n\n';

/** @type {string[]} the frames that were posted, as they were sent */
let posted = [];
/** @type {(Response | Error)[]} what the next posts are answered with */
let answers = [];

beforeEach(() => {
  FakeSocket.install();
  FakeEventSource.install();
  [posted, answers] = [[], []];
  mock.method(globalThis, "fetch", async (/** @type {string} */ address, /** @type {RequestInit} */ options) => {
    assert.equal(address, EVENTS);
    posted.push(String(options.body));
    const answer = answers.shift() ?? new Response(CLOSED);
    if (answer instanceof Error) throw answer;
    return answer;
  });
});

/** An open one, and what has come out of it. */
function opened() {
  const socket = new EventSocket(ADDRESS);
  /** @type {unknown[]} */
  const told = [];
  socket.addEventListener("message", (event) => told.push(JSON.parse(/** @type {MessageEvent} */ (event).data)));
  socket.addEventListener("close", (event) => told.push(/** @type {CloseEvent} */ (event).code));
  FakeEventSource.last.accept();
  return { socket, told, source: FakeEventSource.last };
}

/**
 * Waits until `told` or `posted` has as many entries.
 *
 * @param {unknown[]} list
 * @param {number} length
 */
async function has(list, length) {
  while (list.length < length) await new Promise((resolve) => setImmediate(resolve));
}

test("event socket listens at the address of the room's events", () => {
  assert.equal(opened().source.address, EVENTS);
});

test("event socket passes on the frames that come and that answer a post", async () => {
  const { socket, told, source } = opened();
  source.receive({ message: "hello" });
  answers = [new Response(`data: {"pong": 1}\n\nid: 1:x\ndata: {"pong": 2}\n\n${CLOSED}`)];
  socket.send('{"ping": 1}');
  await has(told, 3);
  assert.deepEqual(told, [{ message: "hello" }, { pong: 1 }, { pong: 2 }]);
  assert.deepEqual(posted, ['{"ping": 1}']);
});

test("event socket posts one frame after the other", async () => {
  const { socket } = opened();
  for (const text of ["1", "2", "3"]) socket.send(text);
  await has(posted, 3);
  assert.deepEqual(posted, ["1", "2", "3"]);
});

for (const answer of [new Error("no network"), new Response("", { status: 503 })]) {
  test(`event socket is lost when a post is answered by ${answer instanceof Error ? "nothing" : answer.status}`, async () => {
    const { socket, told, source } = opened();
    answers = [answer];
    socket.send("1");
    socket.send("2");
    await has(told, 1);
    assert.deepEqual(told, [1006]);
    assert.deepEqual(posted, ["1"]);
    assert.ok(source.closedByPage);
  });
}

test("event socket closes with the code of the server's last event, and once", () => {
  const { told, source } = opened();
  source.receive({ code: 4403, reason: "banned" }, "close");
  source.fail();
  assert.deepEqual(told, [4403]);
});

test("event socket that is closed by a post has the code of the socket", async () => {
  const { socket, told } = opened();
  answers = [new Response('event: close\ndata: {"code": 4401, "reason": "session_ended"}\n\n')];
  socket.send("1");
  await has(told, 1);
  assert.deepEqual(told, [4401]);
});
