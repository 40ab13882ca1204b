// @ts-check
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { withoutHeaders } from "../../../static/graphiql/storage.js";

const SECRET = JSON.stringify({ Authorization: "Bearer chat_secret" });

/** What a browser has as localStorage: its keys are its own properties. */
class FakeStorage {
  /** @param {string} key */
  getItem(key) {
    return Object.hasOwn(this, key) ? /** @type {any} */ (this)[key] : null;
  }
  /**
   * @param {string} key
   * @param {string} value
   */
  setItem(key, value) {
    /** @type {any} */ (this)[key] = value;
  }
  /** @param {string} key */
  removeItem(key) {
    delete (/** @type {any} */ (this)[key]);
  }
}

/** @type {any} */
let storage;

beforeEach(() => {
  storage = new FakeStorage();
});

/** @param {string} list */
const listed = (list) => JSON.stringify({ [list]: [{ query: "{ me { id } }", headers: SECRET, variables: "{}" }] });

test("storage for GraphiQL keeps an operation of the history without its headers", () => {
  for (const list of ["queries", "favorites"]) {
    withoutHeaders(storage).setItem(`graphiql:${list}`, listed(list));

    assert.equal(storage[`graphiql:${list}`], `{"${list}":[{"query":"{ me { id } }","variables":"{}"}]}`);
  }
});

test("storage for GraphiQL keeps a tab, which needs headers, with none", () => {
  withoutHeaders(storage).setItem("graphiql:tabState", JSON.stringify({ tabs: [{ headers: SECRET }] }));

  assert.equal(storage["graphiql:tabState"], '{"tabs":[{"headers":null}]}');
});

test("storage for GraphiQL keeps no headers of the editor", () => {
  withoutHeaders(storage).setItem("graphiql:headers", SECRET);

  assert.equal(storage.getItem("graphiql:headers"), null);
});

test("storage for GraphiQL rids what was kept before of headers, and of what isn't JSON", () => {
  Object.assign(storage, {
    "graphiql:headers": SECRET,
    "graphiql:queries": listed("queries"),
    "graphiql:favorites": `${listed("favorites")}!`,
    "graphiql:theme": "dark",
    other: SECRET,
  });

  withoutHeaders(storage);

  assert.deepEqual(
    { ...storage },
    {
      "graphiql:queries": '{"queries":[{"query":"{ me { id } }","variables":"{}"}]}',
      "graphiql:theme": "dark",
      other: SECRET,
    },
  );
});

test("storage for GraphiQL that is cleared leaves what others keep", () => {
  Object.assign(storage, { "graphiql:theme": "dark", other: "kept" });
  const given = withoutHeaders(storage);
  assert.equal(given.length, 1);

  given.clear();

  assert.deepEqual({ ...storage }, { other: "kept" });
});
