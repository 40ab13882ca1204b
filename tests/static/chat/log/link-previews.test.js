import assert from "node:assert/strict";
import { test } from "node:test";

import "../../dom.js";

const { readLinks, removedBy, showLinks } = await import("../../../../static/chat/log/link-previews.js");

const LINK = { url: "https://example.org/a", title: "A page" };

/** @param {object[]} links as frames have them */
function lineWith(links) {
  const line = document.createElement("div");
  line.innerHTML = '<div class="bubble"></div><button class="actions"></button><div class="reactions"></div>';
  showLinks(line, readLinks(links));
  return line;
}

test("links of a frame that can't be shown are left out", () => {
  const bad = [null, 7, {}, { url: "javascript:alert(1)", title: "x" }, { url: "https://a.example/" }, { title: "x" }];
  assert.deepEqual(readLinks(bad), []);
  assert.deepEqual(readLinks("links"), []);
  assert.deepEqual(readLinks([LINK]), [{ ...LINK, description: "", siteName: "", picture: null }]);
});

test("a card leads to the page in a window of its own and tells it nothing", () => {
  const card = lineWith([LINK]).querySelector("a");
  assert.equal(card?.href, LINK.url);
  assert.equal(card?.target, "_blank");
  assert.equal(card?.rel, "noopener noreferrer nofollow");
});

test("a card names the host first, whatever the site calls itself", () => {
  const site = (/** @type {object} */ link) => lineWith([link]).querySelector(".link-site")?.textContent;
  assert.equal(site({ ...LINK, site_name: "Your bank" }), "example.org · Your bank");
  assert.equal(site({ ...LINK, site_name: "example.org" }), "example.org");
  assert.equal(site(LINK), "example.org");
});

test("titles and descriptions are text", () => {
  const line = lineWith([{ ...LINK, title: "<b>bold</b>", description: "<img src=x>" }]);
  assert.equal(line.querySelector(".link-title")?.textContent, "<b>bold</b>");
  assert.equal(line.querySelector("b, img"), null);
});

test("a removable preview has a button that names the page's address", () => {
  const line = document.createElement("div");
  showLinks(line, readLinks([LINK]), true);
  const button = line.querySelector(".link-preview > .remove-link");
  assert.ok(button);
  assert.equal(removedBy(button), LINK.url);
  assert.equal(removedBy(line), null);
  assert.match(button.ariaLabel ?? "", /A page/);
  showLinks(line, readLinks([LINK]));
  assert.equal(line.querySelector(".remove-link"), null);
});

test("cards stand before the reactions and take the place of those before", () => {
  const line = lineWith([LINK, { ...LINK, url: "https://example.org/b" }]);
  assert.equal(line.querySelectorAll(".link-card").length, 2);
  showLinks(line, readLinks([LINK]));
  assert.equal(line.querySelectorAll(".link-card").length, 1);
  assert.equal(line.lastElementChild?.className, "reactions");
  showLinks(line, []);
  assert.equal(line.querySelector(".links"), null);
});
