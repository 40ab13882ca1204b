// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { PushDevice } from "../../../../static/chat/push/push-device.js";

/** @type {PushSubscription | Error | null} what the browser's push service answers; null if it never does */
let answer;
const registration = {
  active: { state: "activated" },
  pushManager: {
    getSubscription: async () => null,
    subscribe: () =>
      new Promise((resolve, reject) => {
        if (answer instanceof Error) reject(answer);
        else if (answer !== null) resolve(answer);
      }),
  },
};

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  Object.assign(globalThis, {
    isSecureContext: true,
    PushManager: class {},
    Notification: { permission: "granted", requestPermission: async () => "granted" },
    fetch: async () => Response.json({ key: "AAAA", endpoints: [] }),
  });
  const serviceWorker = { register: async () => registration, getRegistration: async () => registration };
  Object.defineProperty(navigator, "serviceWorker", { value: serviceWorker, configurable: true });
});
afterEach(() => mock.timers.reset());

test("device is on once the browser has an address for what is pushed", async () => {
  answer = /** @type {PushSubscription} */ ({});
  assert.equal(await new PushDevice("/devices/", "user-1").turnOn(), "on");
});

test("device that gets no address is not on", async () => {
  answer = new Error("AbortError");
  assert.equal(await new PushDevice("/devices/", "user-1").turnOn(), "failed");
});

test("device whose push service never answers is not on, after some time", async () => {
  answer = null;
  let asked = () => {};
  const asking = new Promise((resolve) => {
    asked = () => resolve(undefined);
  });
  const { subscribe } = registration.pushManager;
  mock.method(registration.pushManager, "subscribe", () => {
    queueMicrotask(asked);
    return subscribe();
  });
  const turning = new PushDevice("/devices/", "user-1").turnOn();
  await asking;
  mock.timers.tick(20_000);
  assert.equal(await turning, "failed");
});
