const KINDS = new Set(["deletion", "notice", "greeting", "error", "start_over"]);

/**
 * A chat frame as the page uses it, with what a foreign sender may leave out filled in.
 *
 * @param frame an object from the chat socket; only `message` can be relied on
 * @returns null if the frame carries no text, else { kind: "message" or one of KINDS, text, deleted: boolean,
 *   target: number | null, subject, offset: number | null, clientId, userId, userName, sentAt: Date, origin: { process, thread } | null,
 *   retryAfter: number | null }, the last in seconds: of an error that passes
 */
export function readMessage(frame) {
  if (typeof frame.message !== "string") return null;
  const sentAt = new Date(frame.sent_at ?? NaN);
  return {
    kind: KINDS.has(frame.kind) ? frame.kind : "message",
    text: frame.message,
    deleted: frame.deleted === true,
    target: frame.target ?? null,
    subject: frame.subject ?? null,
    offset: Number.isSafeInteger(frame.offset) ? frame.offset : null,
    clientId: frame.client_id ?? null,
    userId: frame.user_id ?? null,
    userName: String(frame.user || "Someone"),
    sentAt: Number.isNaN(sentAt.getTime()) ? new Date() : sentAt,
    origin: frame.origin ?? null,
    retryAfter: frame.error?.retry_after ?? null,
  };
}
