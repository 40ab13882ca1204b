// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Connection } from "../../../../static/chat/connection/connection.js";
import { FakeSocket } from "../../sockets.js";

const NORMAL = 1000;
const ABNORMAL = 1006;
const RESTARTING = 1012;

beforeEach(() => {
  FakeSocket.install();
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
