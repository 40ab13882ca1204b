// A bot that answers `!echo …` in a room: it misses no message, and answers each once, whatever is restarted meanwhile.
// README.md, beside this file, says how to run it and what to change.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const URL = (process.env.CHAT_URL ?? "http://127.0.0.1:8000").replace(/\/$/, "");
const ROOM = process.env.CHAT_ROOM ?? "room1";
const TOKEN = process.env.CHAT_TOKEN;
const POSITION = process.env.CHAT_POSITION ?? "position.json";
const LONGEST_PAUSE = 30_000; // milliseconds between two attempts to connect
const PING_EVERY = 20_000; // milliseconds; a connection that doesn't answer in as many is given up

const BEGIN = "query Begin($room: String!) { me { id name } room(name: $room) { lastOffset } }";
const LISTEN = `subscription Listen($room: String!, $after: Int, $afterId: ID) {
  roomMessages(rooms: [{ roomName: $room, after: $after, afterId: $afterId }], kinds: [MESSAGE]) {
    kind offset id message user { id name }
  }
}`;
const HISTORY = `query History($room: String!, $after: String) {
  room(name: $room) { messages(first: 100, after: $after) {
    pageInfo { hasNextPage }
    edges { node { kind offset id message user { id name } } }
  } }
}`;
const POST = `mutation Post($input: PostMessageInput!) {
  postMessage(input: $input) { message { offset } error { code message retryAfter } }
}`;

const TRY_AGAIN = [
  "unavailable",
  "rate_limited",
  "slow_mode",
  "slow_listener",
  "too_many_subscriptions",
  "internal_error",
];
const STOP = ["insufficient_scope", "not_a_member", "banned", "removed", "invalid_token"]; // a person has to change something
const REFUSED = [4400, 4401, 4403]; // codes of closed connections that another attempt would end with, too
const pause = (attempt) => sleep(Math.random() * Math.min(1000 * 2 ** attempt, LONGEST_PAUSE));
const log = (...words) => console.error("bot:", ...words);

// The bot's answer to a message, or undefined. This is yours to change.
function answer(text) {
  const [command, ...words] = text.split(" ");
  if (command === "!echo") return words.join(" ") || "What shall I say?";
}

let silence; // the timer that gives up a connection
const client = createClient({
  url: `${URL.replace("http", "ws")}/graphql`,
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${TOKEN}` },
  keepAlive: PING_EVERY,
  lazyCloseTimeout: 5000, // milliseconds; the connection is kept from one operation to the next
  retryAttempts: Number.POSITIVE_INFINITY,
  retryWait: pause,
  shouldRetry: ({ code }) => !REFUSED.includes(code),
  on: {
    ping: () => (silence = setTimeout(() => client.terminate(), PING_EVERY)),
    pong: () => clearTimeout(silence),
    closed: ({ code, reason }) => {
      clearTimeout(silence);
      if (code !== 1000) log("The connection was closed:", code, reason);
    },
    error: ({ message }) => log("The connection was lost:", message),
  },
});

// The variables of the subscription. graphql-ws subscribes again by itself, with what they are by then.
const position = { room: ROOM, after: null, afterId: null };

// Called after a message is handled, not before. Written beside the file and moved there: no crash leaves half of it.
function keep({ offset, id }) {
  Object.assign(position, { after: offset, afterId: id });
  writeFileSync(`${POSITION}.new`, JSON.stringify({ offset, id }));
  renameSync(`${POSITION}.new`, POSITION);
}

// The results of an operation; its errors are thrown, as a list.
async function* results(query, variables) {
  for await (const { data, errors } of client.iterate({ query, variables })) {
    if (errors) throw errors;
    yield data;
  }
}

async function execute(query, variables) {
  for await (const data of results(query, variables)) return data;
}

async function run() {
  const { me, room } = await execute(BEGIN, { room: ROOM });
  if (existsSync(POSITION)) keep(JSON.parse(readFileSync(POSITION, "utf8")));
  else keep({ offset: room.lastOffset, id: null }); // the first time: from now on
  log(`Listening to ${ROOM} as ${me.name}, after ${position.after}`);
  for await (const { roomMessages: event } of results(LISTEN, position)) {
    if (event.kind === "START_OVER") await startOver(event, me);
    else await handle(event, me);
  }
}

// Too much was missed to be sent again, or the room's log was set back. The history has what there is.
async function startOver(event, me) {
  const wasSetBack = event.offset < position.after;
  for (let more = true; more && position.after < event.offset; ) {
    const { room } = await execute(HISTORY, { room: ROOM, after: `${position.after}` });
    for (const { node } of room.messages.edges) await handle(node, me);
    more = room.messages.pageInfo.hasNextPage;
  }
  if (wasSetBack || position.after < event.offset) keep(event);
}

async function handle(event, me) {
  if (event.offset === null || event.offset <= position.after) return;
  const text = event.kind === "MESSAGE" && event.user?.id !== me.id && answer(event.message);
  // A message that was handled, but not kept as the position, is handled again. The id makes its answer one.
  if (text) await post({ message: text, replyTo: event.offset, clientId: `answer-${event.id}` });
  keep(event);
}

async function post(message) {
  for (;;) {
    const { error } = (await execute(POST, { input: { roomName: ROOM, ...message } })).postMessage;
    if (!error) return;
    // The message stays unhandled, for when it may be answered.
    if (STOP.includes(error.code)) throw [{ message: error.message, extensions: { code: error.code } }];
    if (!TRY_AGAIN.includes(error.code)) return log(`Not posted: ${error.message} (${error.code})`);
    await sleep(1000 * (error.retryAfter ?? 1 + 4 * Math.random()));
  }
}

// A sentence where trying again would be of no use, whether a connection was closed or an operation has errors.
function refusal(error) {
  if (error instanceof Error) throw error; // a mistake in this program
  if (REFUSED.includes(error.code)) return `The site refuses the token (${error.reason})`;
  if (Array.isArray(error) && !TRY_AGAIN.includes(error[0].extensions?.code)) return error[0].message;
}

async function stop() {
  await Promise.race([client.dispose(), sleep(1000)]);
  log("Stopped");
  process.exit(0);
}

if (!TOKEN) {
  log("Set CHAT_TOKEN to a token with the scopes read and write: /accounts/tokens/ makes one.");
  process.exit(1);
}
process.once("SIGINT", stop).once("SIGTERM", stop);
for (let attempt = 0; ; attempt++) {
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
  }
  await pause(Math.min(attempt, 5));
}
