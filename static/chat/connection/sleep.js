// @ts-check

const TICK = 10_000; // milliseconds between two looks at the clock
const ASLEEP = 90_000; // milliseconds without one; browsers let hidden pages tick once a minute

/**
 * Calls `wake` when the machine or the page has slept, so long that the server may have given it up unheard.
 *
 * @param {() => void} wake
 */
export function afterSleep(wake) {
  let last = Date.now();
  setInterval(() => {
    const slept = Date.now() - last > ASLEEP;
    last = Date.now();
    if (slept) wake();
  }, TICK);
}
