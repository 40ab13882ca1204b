// @ts-check

import { fill, gettext, locales } from "../translation.js";

/**
 * A file of a message, as the server tells of it.
 *
 * @typedef {object} Attachment
 * @property {string} id
 * @property {string} name
 * @property {string} type the media type, by its content; application/octet-stream for what pages don't show
 * @property {number} size bytes
 * @property {string} url where those who may be in the room get it
 * @property {{ url: string, width: number, height: number } | null} preview of a picture; sizes in pixels
 */

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"];
const EXTENSION = /\.([\p{L}\p{N}]{1,8})$/u;

/**
 * Reads the `attachments` of a frame; what isn't one is left out.
 *
 * @param {unknown} given
 * @returns {Attachment[]}
 */
export function readAttachments(given) {
  return Array.isArray(given) ? given.map(readAttachment).filter((one) => one !== null) : [];
}

/**
 * @param {any} given
 * @returns {Attachment | null}
 */
export function readAttachment(given) {
  const { id, name, type, size, url, preview } = given ?? {};
  if (![id, name, type, url].every((value) => typeof value === "string") || !isOwnAddress(url)) return null;
  return { id, name, type, size: Number.isFinite(size) ? size : 0, url, preview: readPreview(preview) };
}

/** @param {any} given */
function readPreview(given) {
  const { url, width, height } = given ?? {};
  const whole = typeof url === "string" && isOwnAddress(url) && width > 0 && height > 0;
  return whole ? { url, width, height } : null;
}

/**
 * Whether an address is one of this site: a foreign sender's may lead anywhere, or be a script.
 *
 * @param {string} address
 */
function isOwnAddress(address) {
  return address.startsWith("/") && !/^\/[/\\]/.test(address);
}

/**
 * The text that stands for files where a message has no other.
 *
 * @param {{ name: string }[]} attachments
 */
export function namesOf(attachments) {
  return attachments.map(({ name }) => name).join("\n");
}

/**
 * Whether a message's text is only what stands for its files.
 *
 * @param {{ text: string, attachments: { name: string }[] }} message
 */
export function isWordless({ text, attachments }) {
  return attachments.length > 0 && (text === "" || text === namesOf(attachments));
}

/**
 * How a page shows a file.
 *
 * @param {Attachment} attachment
 * @returns {"picture" | "video" | "audio" | "file"}
 */
export function kindOf({ type, preview }) {
  if (preview !== null) return "picture";
  if (type.startsWith("audio/")) return "audio";
  return type.startsWith("video/") ? "video" : "file";
}

/**
 * A size for people: "1.2 MB".
 *
 * @param {number} bytes
 */
export function sizeWords(bytes) {
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return new Intl.NumberFormat(locales, {
    style: "unit",
    unit: UNITS[step],
    unitDisplay: step === 0 ? "long" : "short",
    maximumFractionDigits: 1,
  }).format(bytes / 1000 ** step);
}

/**
 * Kind and size of a file: "PDF, 1.2 MB". The kind is that of its name, which nobody relies on.
 *
 * @param {Pick<Attachment, "name" | "size">} attachment
 */
export function factsOf({ name, size }) {
  const extension = EXTENSION.exec(name)?.[1];
  const kind = extension ? extension.toUpperCase() : gettext("File");
  return fill(gettext("%(kind)s, %(size)s"), { kind, size: sizeWords(size) });
}
