// @ts-check
/** What GraphiQL keeps in the browser: everything but headers, as they may have a token in them. */

const PREFIX = "graphiql:";
const ARE_HEADERS = `${PREFIX}headers`;
const TABS = `${PREFIX}tabState`; // in which each tab has to have headers, if only null
const LISTS = [`${PREFIX}queries`, `${PREFIX}favorites`]; // of the history

/**
 * `storage` as GraphiQL may have it. What an earlier version of the page kept there is rid of its headers at once.
 *
 * @param {Storage} storage
 */
export function withoutHeaders(storage) {
  /**
   * @param {string} key
   * @param {string} value
   */
  const setItem = (key, value) => {
    const kept = cleaned(key, value);
    if (kept === null) storage.removeItem(key);
    else if (kept !== storage.getItem(key)) storage.setItem(key, kept);
  };
  for (const key of [ARE_HEADERS, TABS, ...LISTS]) {
    const value = storage.getItem(key);
    if (value !== null) setItem(key, value);
  }
  const keys = () => Object.keys(storage).filter((key) => key.startsWith(PREFIX));
  return {
    /** @param {string} key */
    getItem: (key) => storage.getItem(key),
    setItem,
    /** @param {string} key */
    removeItem: (key) => storage.removeItem(key),
    clear: () => keys().forEach((key) => void storage.removeItem(key)),
    get length() {
      return keys().length;
    },
  };
}

/**
 * What may be kept of `value`; null, where that is nothing.
 *
 * @param {string} key
 * @param {string} value
 */
function cleaned(key, value) {
  if (key === ARE_HEADERS) return null;
  if (key !== TABS && !LISTS.includes(key)) return value;
  const none = key === TABS ? null : undefined;
  try {
    return JSON.stringify(JSON.parse(value, (name, one) => (name === "headers" ? none : one)));
  } catch {
    return null; // GraphiQL couldn't read it either
  }
}
