// A bot that answers `!echo …` in a room, with types that are generated from the schema and operations.graphql, over
// server-sent events. It misses no message, and answers each once, whatever is restarted meanwhile. README.md, beside
// this file, says how to run it, how the types are generated, and what to change.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { GraphQLError } from "graphql";
import { createClient, NetworkError } from "graphql-sse";
import {
  BeginDocument,
  type BeginQuery,
  type HeardFragment,
  HistoryDocument,
  ListenDocument,
  PostDocument,
  type PostMessageInput,
  type TypedDocumentString,
} from "./operations.js";

const URL = (process.env.CHAT_URL ?? "http://127.0.0.1:8000").replace(/\/$/, "");
const ROOM = process.env.CHAT_ROOM ?? "room1";
const TOKEN = process.env.CHAT_TOKEN;
const POSITION = process.env.CHAT_POSITION ?? "position.json";
const LONGEST_PAUSE = 30_000; // milliseconds between two attempts to connect

const TRY_AGAIN = ["unavailable", "rate_limited", "slow_mode", "slow_listener", "internal_error"];
const STOP = ["insufficient_scope", "not_a_member", "banned", "removed", "invalid_token"]; // a person has to change something
const REFUSED = [401, 403]; // HTTP's statuses that another attempt would be answered with, too
const log = (...words: unknown[]) => console.error("bot:", ...words);

// The bot's answer to a message, or undefined. This is yours to change.
function answer(text: string): string | undefined {
  const [command, ...words] = text.split(" ");
  return command === "!echo" ? words.join(" ") || "What shall I say?" : undefined;
}

// Trying again wouldn't help. The text is for people.
class Refused extends Error {}

// Errors of GraphQL: of a whole operation, or of a subscription that ends with them.
class Failed extends Error {
  constructor(readonly errors: readonly GraphQLError[]) {
    super(errors[0]?.message);
  }

  get isRefusal() {
    return !TRY_AGAIN.includes(String(this.errors[0]?.extensions?.code));
  }
}

// It would subscribe again by itself, whatever it is refused for: so not by itself. Node's fetch gives up a stream on which
// nothing has come for five minutes, not even a heartbeat.
const client = createClient({
  url: `${URL}/graphql`,
  headers: { authorization: `Bearer ${TOKEN}` },
  retryAttempts: 0,
});

async function* results<Result, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): AsyncGenerator<Result> {
  for await (const { data, errors } of client.iterate<Result>({ query: document.toString(), variables })) {
    if (errors) throw new Failed(errors);
    if (data) yield data;
  }
}

async function execute<Result, Variables extends Record<string, unknown>>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  for await (const result of results(document, variables)) return result;
  throw new NetworkError("no answer");
}

type Position = { offset: number; id: string | null };
let position: Position = { offset: 0, id: null };

// Called after a message is handled, not before. Written beside the file and moved there: no crash leaves half of it.
function keep(handled: Position) {
  position = { offset: handled.offset, id: handled.id };
  writeFileSync(`${POSITION}.new`, JSON.stringify(position));
  renameSync(`${POSITION}.new`, POSITION);
}

async function run() {
  const { me, room } = await execute(BeginDocument, { room: ROOM });
  if (existsSync(POSITION)) position = JSON.parse(readFileSync(POSITION, "utf8"));
  else keep({ offset: room.lastOffset, id: null }); // the first time: from now on
  log(`Listening to ${ROOM} as ${me.name}, after ${position.offset}`);
  const from = { room: ROOM, after: position.offset, afterId: position.id };
  for await (const { roomMessages: event } of results(ListenDocument, from)) {
    if (event.kind === "START_OVER") await startOver(event, me);
    else await handle(event, me);
  }
}

// Too much was missed to be sent again, or the room's log was set back. The history has what there is.
async function startOver({ offset, id }: HeardFragment, me: BeginQuery["me"]) {
  if (offset === null) return;
  const wasSetBack = offset < position.offset;
  for (let more = true; more && position.offset < offset; ) {
    const { messages } = (await execute(HistoryDocument, { room: ROOM, after: `${position.offset}` })).room;
    for (const { node } of messages.edges) await handle(node, me);
    more = messages.pageInfo.hasNextPage;
  }
  if (wasSetBack || position.offset < offset) keep({ offset, id });
}

async function handle({ kind, offset, id, message, user }: HeardFragment, me: BeginQuery["me"]) {
  if (offset === null || offset <= position.offset) return;
  const text = kind === "MESSAGE" && user?.id !== me.id && answer(message);
  // A message that was handled, but not kept as the position, is handled again. The id makes its answer one.
  if (text) await post({ roomName: ROOM, message: text, replyTo: offset, clientId: `answer-${id}` });
  keep({ offset, id });
}

async function post(input: PostMessageInput) {
  for (;;) {
    const { error } = (await execute(PostDocument, { input })).postMessage;
    if (!error) return;
    if (STOP.includes(error.code)) throw new Refused(error.message); // it stays unhandled, for when it may be answered
    if (!TRY_AGAIN.includes(error.code)) return log(`Not posted: ${error.message} (${error.code})`);
    await sleep(1000 * (error.retryAfter ?? 1 + 4 * Math.random()));
  }
}

// A sentence where trying again would be of no use. Throws what is a mistake in this program.
function refusal(error: unknown): string | undefined {
  if (error instanceof Refused) return error.message;
  if (error instanceof Failed) return error.isRefusal ? error.message : undefined;
  if (!(error instanceof NetworkError)) throw error;
  const status = error.response?.status;
  return status && REFUSED.includes(status) ? `The site refuses the token (${status})` : undefined;
}

function stop() {
  client.dispose();
  log("Stopped");
  process.exit(0);
}

if (!TOKEN) {
  log("Set CHAT_TOKEN to a token with the scopes read and write: /accounts/tokens/ makes one.");
  process.exit(1);
}
process.once("SIGINT", stop).once("SIGTERM", stop);
// It connects again and again, after pauses that grow and are random: a server's clients all come back at once.
for (let longest = 2000; ; longest = Math.min(longest * 2, LONGEST_PAUSE)) {
  const began = Date.now();
  try {
    await run();
  } catch (error) {
    const text = refusal(error);
    if (text) {
      log(
        `${text.replace(/\.$/, "")}. Make another token at ${URL}/accounts/tokens/, or look at its scopes and rooms.`,
      );
      process.exit(1);
    }
    log("The stream was lost:", error instanceof Error ? error.message : error);
  }
  if (Date.now() - began > LONGEST_PAUSE) longest = 2000;
  await sleep(Math.random() * longest);
}
