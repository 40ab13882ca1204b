// @ts-check

import { element } from "../elements.js";
import { fill, gettext } from "../translation.js";

/** The selector of the buttons that remove the preview of a page. */
export const REMOVE = ".remove-link";

/**
 * A link in a message, and what the page that it leads to says of itself.
 *
 * @typedef {object} LinkPreview
 * @property {string} url
 * @property {string} title
 * @property {string} description
 * @property {string} siteName
 * @property {{ url: string, width: number, height: number } | null} picture served by this site
 */

/**
 * Reads the links of a frame. Those that can't be shown are left out.
 *
 * @param {unknown} links
 * @returns {LinkPreview[]}
 */
export function readLinks(links) {
  if (!Array.isArray(links)) return [];
  return links.filter(isLink).map(({ url, title, description, site_name, picture }) => ({
    url,
    title,
    description: description ?? "",
    siteName: site_name ?? "",
    picture: picture ?? null,
  }));
}

/** @param {any} link */
function isLink(link) {
  return typeof link?.title === "string" && typeof link.url === "string" && /^https?:\/\//i.test(link.url);
}

/**
 * Show the pages that a message links to in its line, under what was said.
 *
 * @param {Element} line
 * @param {LinkPreview[]} links
 * @param {boolean} [removable] whether the reader may remove them
 * @returns {boolean} whether the focus was on one of those before, and is lost
 */
export function showLinks(line, links, removable = false) {
  const before = line.querySelector(":scope > .links");
  const hadFocus = before?.contains(document.activeElement) ?? false;
  before?.remove();
  if (links.length === 0) return hadFocus;
  const list = element("div", "links");
  list.ariaLive = "off"; // nobody has said it
  list.append(...links.map((link) => preview(link, removable)));
  line.insertBefore(list, line.querySelector(":scope > .reactions"));
  return hadFocus;
}

/**
 * The address of the page whose preview a button removes; null if it isn't such a button.
 *
 * @param {Element} button
 */
export function removedBy(button) {
  return button instanceof HTMLButtonElement && button.matches(REMOVE) ? button.value : null;
}

/**
 * @param {LinkPreview} link
 * @param {boolean} removable
 */
function preview(link, removable) {
  const preview = element("div", "link-preview");
  preview.append(card(link));
  if (removable) preview.append(removeButton(link));
  return preview;
}

/** @param {LinkPreview} link */
function removeButton({ url, title }) {
  const button = element("button", "remove-link quiet", "×");
  button.type = "button";
  button.tabIndex = -1; // the arrow keys lead there
  button.value = url;
  button.ariaLabel = fill(gettext("Remove the preview of “%(title)s”"), { title });
  button.title = gettext("Remove the preview");
  return button;
}

/** @param {LinkPreview} link */
function card({ url, title, description, siteName, picture }) {
  const card = element("a", "link-card");
  card.href = url;
  card.target = "_blank";
  card.rel = "noopener noreferrer nofollow";
  card.tabIndex = -1; // the text has the same link
  const words = element("span", "link-words");
  words.append(site(siteName, new URL(url).host), text("link-title", title));
  if (description) words.append(text("link-description", description));
  card.append(words);
  if (picture) card.append(image(picture));
  return card;
}

/**
 * The host, which is nobody else's, and then what the site calls itself.
 *
 * @param {string} name
 * @param {string} host
 */
function site(name, host) {
  const site = element("span", "link-site");
  site.append(element("bdi", "", host));
  if (name && name.toLowerCase() !== host) site.append(" · ", element("bdi", "", name));
  return site;
}

/**
 * @param {string} className
 * @param {string} content
 */
function text(className, content) {
  const text = element("span", className, content);
  text.dir = "auto";
  return text;
}

/** @param {{ url: string, width: number, height: number }} picture */
function image({ url, width, height }) {
  const image = element("img", "link-picture");
  image.alt = "";
  image.width = width;
  image.height = height;
  image.decoding = "async";
  image.addEventListener("error", () => image.remove()); // it isn't kept any more
  image.src = url;
  return image;
}
