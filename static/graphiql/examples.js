// @ts-check
/** Operations that run as they are, for each feature of the API. tests/gqlchat/test_examples.py runs each of them. */

/** @typedef {{ title: string, query: string, variables?: string }} Example */

/** @type {Example[]} in tabs at first */
export const FIRST = [
  {
    title: "Listen to two rooms",
    query: `# Joins two rooms and stays. While it runs, chat in /chat/room1/,
# or send from another tab: subscriptions go on there.
subscription SubscribeToChatRooms {
  joinChatRooms(
    rooms: [{ roomName: "room1" }, { roomName: "room2" }]
    user: "foo"
  ) {
    roomName
    message
    currentUser
  }
}
`,
  },
  {
    title: "Say something",
    query: `# Says something in room1: everyone there hears it,
# in the chat and in subscriptions.
mutation echo {
  sendChatMessage(message: "hello room 1", room: { roomName: "room1" })
}
`,
  },
  {
    title: "Who am I?",
    query: `# You, the same person as in the chat.
query WhoAmI {
  me {
    id
    name
    isGuest
  }
}
`,
  },
  {
    title: "The last messages",
    query: `# The last messages in room1. For those before them, ask again
# with before: and the startCursor that came.
query History {
  room(name: "room1") {
    lastOffset
    messages(last: 20) {
      pageInfo {
        hasPreviousPage
        startCursor
      }
      edges {
        node {
          offset
          message
          sentAt
          user {
            name
          }
        }
      }
    }
  }
}
`,
  },
];

/** @type {{ title: string, examples: Example[] }[]} */
export const EXAMPLES = [{ title: "First steps", examples: FIRST }];
