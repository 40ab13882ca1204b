// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Connection } from "../../../../static/chat/connection/connection.js";
import { FakeSocket } from "../../sockets.js";

beforeEach(() => {
  FakeSocket.install();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(Math, "random", () => 0);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

function opened() {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  FakeSocket.last.accept();
  return connection;
}

/** @param {number} seconds */
const pass = (seconds) => mock.timers.tick(seconds * 1000);

test("heartbeat renews a silent connection within 45 seconds", () => {
  opened();
  pass(30);
  assert.deepEqual(FakeSocket.last.sent, [{ ping: 1 }]);
  pass(15);
  assert.equal(FakeSocket.all.length, 2);
  assert.equal(FakeSocket.all[0]?.closedByPage, true);
});

test("heartbeat keeps a connection whose pings are answered", () => {
  const connection = opened();
  for (let ping = 1; ping <= 10; ping++) {
    pass(25);
    FakeSocket.last.receive({ pong: ping });
  }
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(FakeSocket.last.sent.length, 10);
  assert.equal(connection.state, "open");
});

test("heartbeat sends no ping while other frames come", () => {
  opened();
  for (let frame = 0; frame < 10; frame++) {
    pass(20);
    FakeSocket.last.receive({ message: "hello" });
  }
  assert.equal(FakeSocket.all.length, 1);
  assert.deepEqual(FakeSocket.last.sent, []);
});

test("heartbeat takes an older server's error about a ping as its answer and hides it", () => {
  const connection = opened();
  const heard = mock.fn();
  connection.addEventListener("frame", heard);
  pass(25);
  FakeSocket.last.receive({ message: "The frame has no “message”.", kind: "error", error: { code: "invalid_frame" } });
  pass(24);
  assert.equal(FakeSocket.all.length, 1);
  assert.equal(heard.mock.callCount(), 0);
});

test("heartbeat hides pongs from the chat", () => {
  const connection = opened();
  const heard = mock.fn();
  connection.addEventListener("frame", heard);
  FakeSocket.last.receive({ pong: 1 });
  assert.equal(heard.mock.callCount(), 0);
});

test("heartbeat does not shorten the pause before another attempt", async () => {
  mock.method(globalThis, "fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  mock.method(Math, "random", () => 1);
  const connection = opened();
  FakeSocket.last.end(1006);
  for (const seconds of [0.5, 1, 2, 4]) {
    pass(seconds);
    FakeSocket.last.end(1006);
    await new Promise((resolve) => setImmediate(resolve));
  }
  pass(7);
  assert.equal(connection.state, "waiting");
});

test("heartbeat does not renew a refused connection", () => {
  const connection = opened();
  FakeSocket.last.end(4403);
  pass(120);
  assert.equal(connection.state, "refused");
  assert.equal(FakeSocket.all.length, 1);
});
