// @ts-check
import "../dom.js";
import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {Record<string, string>} */
const german = { "Send it": "Schick es" };
const catalogue = {
  /** @param {string} text */
  gettext: (text) => german[text] ?? text,
  /** @param {string} singular @param {string} plural @param {number} count */
  ngettext: (singular, plural, count) => (count === 1 ? singular : plural),
  /** @param {string} context @param {string} text */
  pgettext: (context, text) => `${context}: ${text}`,
};
const path = "../../../static/chat/translation.js";
const plain = await import(path);
Object.assign(globalThis, { django: catalogue });
const translated = await import(`${path}?with-a-catalogue`);

test("texts without a catalogue are in English, as they stand in the modules", () => {
  assert.equal(plain.gettext("Send it"), "Send it");
  assert.equal(plain.pgettext("verb", "Mute"), "Mute");
  assert.deepEqual(
    [0, 1, 2].map((count) => plain.ngettext("%(count)s room", "%(count)s rooms", count)),
    ["%(count)s rooms", "%(count)s room", "%(count)s rooms"],
  );
});

test("texts with a catalogue are those of the catalogue", () => {
  assert.equal(translated.gettext("Send it"), "Schick es");
  assert.equal(translated.gettext("Keep it"), "Keep it");
  assert.equal(translated.pgettext("verb", "Mute"), "verb: Mute");
});

test("fill puts values into their places, in whatever order the text has them, and none into another's value", () => {
  const values = { name: "%(count)s $& Ann", count: 1234 };
  assert.equal(plain.fill("%(name)s: %(count)s", values), "%(count)s $& Ann: 1,234");
  assert.equal(plain.fill("%(count)s – %(name)s", values), "1,234 – %(count)s $& Ann");
  assert.equal(plain.fill("100% (sure)", {}), "100% (sure)");
});

test("fillWithElements puts elements between the parts of a text", () => {
  const [one, two] = [document.createElement("bdi"), document.createElement("bdi")];
  assert.deepEqual(plain.fillWithElements("%(one)s and %(two)s type", { one, two }), [one, " and ", two, " type"]);
  assert.deepEqual(plain.fillWithElements("%(two)s, %(one)s", { one, two }), [two, ", ", one]);
  assert.deepEqual(plain.fillWithElements("nobody", {}), ["nobody"]);
});

for (const [language, preferred, expected] of [
  ["en", ["en-GB", "en"], ["en-GB", "en", "en"]],
  ["de", ["en-GB", "en"], ["de"]],
  ["de", ["en-GB", "de-AT"], ["de-AT", "de"]],
  ["", ["en-GB"], []],
]) {
  test(`locales for a page in ${language || "no language"} and a browser of ${preferred} are ${expected}`, () => {
    assert.deepEqual(plain.localesOf(language, preferred), expected);
  });
}
