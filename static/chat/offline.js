// @ts-check
/** The page that the service worker shows where the site can't be reached: loads what was asked for once it can. */

const LOOK_EVERY = 10_000; // milliseconds

async function look() {
  try {
    const answer = await fetch("/livez", { cache: "no-store" });
    if (answer.ok) location.reload();
  } catch {
    // Not yet.
  }
}

addEventListener("online", look);
document.addEventListener("visibilitychange", look);
setInterval(look, LOOK_EVERY);
