// @ts-check

import { readAttachments } from "../files/attachment.js";
import { UploadBatch } from "../files/upload-batch.js";

/** @import { Quote } from "../log/quote.js" */

/**
 * The messages that an outbox has left in the storage; anything else that is there is passed over.
 *
 * @param {string} key
 * @returns {{ id: string, text: string, quote: Quote | null, files: UploadBatch | null }[]} no files where they are lost
 */
export function stored(key) {
  try {
    const entries = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(entries) ? entries.filter(isEntry).map(read) : [];
  } catch {
    return [];
  }
}

/** @param {[id: string, text: string, quote?: Quote | null, files?: unknown]} entry */
function read([id, text, quote = null, given]) {
  if (given === null) return { id, text, quote, files: null };
  const files = new UploadBatch();
  for (const attachment of readAttachments(given)) files.addUploaded(attachment);
  return { id, text, quote, files };
}

/** @param {unknown} value */
function isEntry(value) {
  if (!Array.isArray(value)) return false;
  const [id, text, quote, files, ...more] = value;
  const replies = quote == null ? quote === undefined || files !== undefined : Number.isSafeInteger(quote?.offset);
  return typeof id === "string" && typeof text === "string" && replies && more.length === 0;
}
