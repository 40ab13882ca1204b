const TICK = 10_000;
const ASLEEP = 90_000; // browsers let hidden pages tick once a minute

/** Calls `wake` when the machine or the page has slept, so long that the server may have given it up unheard. */
export function afterSleep(wake) {
  let last = Date.now();
  setInterval(() => {
    const slept = Date.now() - last > ASLEEP;
    last = Date.now();
    if (slept) wake();
  }, TICK);
}
