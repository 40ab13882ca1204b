// The behaviour of every client here, with any library. It posts the lines of its standard
// input, and reports by lines of JSON: `joined` for the guide's subscription, `heard` for one that recovers,
// `posted` for an answer.
import { randomUUID } from "node:crypto";
import readline from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const GUIDE = `subscription SubscribeToChatRooms {
  joinChatRooms(rooms: [{ roomName: "room1" }, { roomName: "room2" }] user: "foo") { roomName message currentUser }
}`;
const HEAR = `subscription Hear($after: Int) {
  roomMessages(rooms: [{ roomName: "room1", after: $after }]) { offset message kind }
}`;
const POST = `mutation Post($message: String!, $clientId: String!) {
  postMessage(input: { roomName: "room1", message: $message, clientId: $clientId }) {
    message { offset } error { code }
  }
}`;
const PAUSE = 100; // milliseconds until what failed is tried again

export const url = process.argv[2];

// listen(query, variables, next) calls `next` with each `data`, and settles when the subscription has ended, however;
// post(query, variables) resolves to the `data` of a mutation.
export async function run({ listen, post }) {
  let position = 0;
  keepOn(() => listen(GUIDE, {}, (data) => tell({ joined: data.joinChatRooms })));
  keepOn(() =>
    listen(HEAR, { after: position }, ({ roomMessages: { offset, message, kind } }) => {
      position = offset ?? position;
      if (kind !== "GREETING") tell({ heard: [offset, message] });
    }),
  );
  for await (const message of readline.createInterface({ input: process.stdin })) {
    tell({ posted: await insist(post, message) });
  }
  process.exit(0);
}

async function keepOn(begin) {
  for (;;) {
    await begin().catch(() => {});
    await sleep(PAUSE);
  }
}

// Sends until it is answered. The same id makes sending twice sending once.
async function insist(post, message) {
  const clientId = randomUUID();
  for (;;) {
    try {
      const { postMessage } = await post(POST, { message, clientId });
      if (postMessage.message) return postMessage.message.offset;
    } catch {
      // the connection was lost meanwhile
    }
    await sleep(PAUSE);
  }
}

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
