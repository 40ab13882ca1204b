// @ts-check
/** The page that the service worker shows where the site can't be reached: loads what was asked for once it can. */

const LOOK_EVERY = 10_000; // milliseconds

async function look() {
  try {
    const { status } = await fetch("/accounts/me/", { cache: "no-store" }); // the probes aren't for browsers
    if (status < 500) location.reload();
  } catch {
    // Not yet.
  }
}

addEventListener("online", look);
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_EVERY);
