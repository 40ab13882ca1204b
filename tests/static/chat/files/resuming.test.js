// @ts-check
import "../../dom.js";
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { resumeWhenInterrupted } from "../../../../static/chat/files/resuming.js";

const NETWORK = 2;
const DECODE = 3;

let now = 0;
let loaded = 0;
let played = 0;

beforeEach(() => {
  now = 1_000_000;
  loaded = played = 0;
  mock.method(performance, "now", () => now);
  Object.assign(globalThis, { MediaError: { MEDIA_ERR_NETWORK: NETWORK } });
});

/** @param {boolean} paused */
function player(paused) {
  const media = document.createElement("audio");
  Object.defineProperties(media, {
    paused: { value: paused },
    error: { value: null, writable: true },
    currentTime: { value: 0, writable: true },
    load: {
      value: () => {
        loaded += 1;
        media.currentTime = 0;
      },
    },
    play: {
      value: async () => {
        played += 1;
      },
    },
  });
  resumeWhenInterrupted(media);
  return media;
}

/**
 * @param {HTMLAudioElement} media
 * @param {number} code
 */
function fail(media, code) {
  Object.assign(media, { error: { code } });
  media.dispatchEvent(new Event("error"));
}

for (const paused of [true, false]) {
  test(`sound that is interrupted goes on from its place, ${paused ? "paused" : "playing"} as before`, () => {
    const media = player(paused);
    media.currentTime = 110;
    fail(media, NETWORK);
    assert.equal(loaded, 1);
    media.dispatchEvent(new Event("loadedmetadata"));
    assert.deepEqual([media.currentTime, played], [110, paused ? 0 : 1]);
    media.currentTime = 5;
    media.dispatchEvent(new Event("loadedmetadata"));
    assert.equal(media.currentTime, 5);
  });
}

test("sound that can’t be played is not loaded again", () => {
  fail(player(false), DECODE);
  assert.equal(loaded, 0);
});

test("sound that is interrupted again at once is left alone, and goes on later", () => {
  const media = player(false);
  fail(media, NETWORK);
  now += 9_999;
  fail(media, NETWORK);
  assert.equal(loaded, 1);
  now += 1;
  fail(media, NETWORK);
  assert.equal(loaded, 2);
});
