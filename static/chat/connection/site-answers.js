// @ts-check

const PATIENCE = 5_000; // milliseconds
const URL_ASKED = "/accounts/me/"; // the probes aren't for everybody: proxies keep them from browsers

/**
 * Whether the site answers over HTTP at the moment. Where it does, and no WebSocket opens, something on the way lets none
 * through; where it doesn't, the site is away.
 *
 * @returns {Promise<boolean>}
 */
export async function siteAnswers() {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE);
  try {
    const { status } = await fetch(URL_ASKED, { cache: "no-store", signal: stop.signal });
    return status < 500; // a proxy answers with more in the site's place
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
  }
}
