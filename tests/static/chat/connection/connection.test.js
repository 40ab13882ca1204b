// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Connection } from "../../../../static/chat/connection/connection.js";
import { FakeEventSource } from "../../event-sources.js";
import { FakeSocket } from "../../sockets.js";

const NORMAL = 1000;
const ABNORMAL = 1006;
const RESTARTING = 1012;

beforeEach(() => {
  FakeSocket.install();
  FakeEventSource.install();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  mock.method(Math, "random", () => 0.5);
});
afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

/** A connection whose first socket the server has accepted. */
function opened() {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  FakeSocket.last.accept();
  return connection;
}

test("connection is open once the server accepts", () => {
  assert.equal(opened().state, "open");
});

test("connection passes on frames that are JSON objects and ignores others", () => {
  const connection = opened();
  /** @type {unknown[]} */
  const frames = [];
  connection.addEventListener("frame", (event) => frames.push(/** @type {CustomEvent} */ (event).detail));

  for (const text of ["[]", "null", "1", '"text"', "{", "", '{"message":"hello"}']) FakeSocket.last.receive(text);

  assert.deepEqual(frames, [{ message: "hello" }]);
});

test("connection sends nothing before it is open", () => {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  assert.equal(connection.send({ message: "hello" }), false);
  FakeSocket.last.accept();
  assert.equal(connection.send({ message: "hello" }), true);
  assert.deepEqual(FakeSocket.last.sent, [{ message: "hello" }]);
});

for (const code of [4400, 4403]) {
  test(`connection does not reconnect after close ${code}`, () => {
    const connection = opened();
    FakeSocket.last.end(code);
    mock.timers.tick(120_000);
    assert.equal(connection.state, "refused");
    assert.equal(connection.closeCode, code);
    assert.equal(FakeSocket.all.length, 1);
  });
}

for (const [code, least, most] of [
  [NORMAL, 200, 500],
  [ABNORMAL, 200, 500],
  [RESTARTING, 1_500, 3_100],
]) {
  test(`connection reconnects within ${most} ms after close ${code}`, () => {
    const connection = opened();
    FakeSocket.last.end(Number(code));
    assert.equal(connection.state, "waiting");
    mock.timers.tick(Number(least));
    assert.equal(FakeSocket.all.length, 1);
    mock.timers.tick(Number(most) - Number(least));
    assert.equal(FakeSocket.all.length, 2);
  });
}

test("pauses of the connection between attempts grow", () => {
  const connection = opened();
  const pauses = [];
  for (let attempt = 0; attempt < 8; attempt++) {
    FakeSocket.last.end(ABNORMAL);
    pauses.push(connection.retryAt - Date.now());
    mock.timers.tick(30_000);
  }
  assert.deepEqual(pauses, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000]);
});

test("connection gives up an attempt without an answer and waits for another", () => {
  const connection = new Connection(() => "ws://localhost/");
  connection.open();
  mock.timers.tick(10_000);
  assert.equal(FakeSocket.last.closedByPage, true);
  FakeSocket.last.end(ABNORMAL);
  assert.equal(connection.state, "waiting");
});

test("renewed connection listens to its new socket alone", () => {
  const connection = opened();
  const old = FakeSocket.last;
  connection.renew();
  mock.timers.tick(500);
  FakeSocket.last.accept();
  old.end(ABNORMAL);
  assert.equal(connection.state, "open");
});

/** Fails the attempt that is under way, and waits until the next one is made. */
function failAndWait() {
  FakeSocket.last.end(ABNORMAL);
  mock.timers.tick(60_000);
}

test("connection tries events once two WebSockets have failed to open, and then in turn", () => {
  const connection = new Connection(() => "ws://localhost/ws/chat/a/");
  connection.open();
  failAndWait();
  assert.equal(FakeEventSource.all.length, 0);
  failAndWait();
  assert.deepEqual([connection.byEvents, FakeEventSource.all.length, FakeSocket.all.length], [true, 1, 2]);
  FakeEventSource.last.fail();
  mock.timers.tick(60_000);
  assert.deepEqual([connection.byEvents, FakeSocket.all.length], [false, 3]);
  failAndWait();
  FakeEventSource.last.accept();
  assert.deepEqual([connection.byEvents, connection.state, FakeEventSource.all.length], [true, "open", 2]);
});

test("connection by events that is lost tries one WebSocket before it comes back", () => {
  const connection = new Connection(() => "ws://localhost/ws/chat/a/");
  connection.open();
  failAndWait();
  failAndWait();
  FakeEventSource.last.accept();
  FakeEventSource.last.fail();
  mock.timers.tick(60_000);
  assert.equal(connection.byEvents, false);
  failAndWait();
  assert.equal(connection.byEvents, true);
});

test("connection whose WebSocket has opened once tries no events", () => {
  const connection = opened();
  for (let attempt = 0; attempt < 6; attempt += 1) failAndWait();
  assert.equal(FakeEventSource.all.length, 0);
  assert.equal(connection.byEvents, false);
});
