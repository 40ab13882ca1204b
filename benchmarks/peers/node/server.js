// A usual server in Node: ws, graphql-ws, graphql-js and ioredis. The same rooms over the same Redis; stores nothing.
const http = require('http');
const Redis = require('ioredis');
const { WebSocketServer } = require('ws');
const { makeExecutableSchema } = require('@graphql-tools/schema');
const { RedisPubSub } = require('graphql-redis-subscriptions');
const { useServer } = require('graphql-ws/use/ws');

const connect = () => new Redis(process.env.REDIS_URL.replace(/^unix:\/\//, ''));
const pubsub = new RedisPubSub({ publisher: connect(), subscriber: connect() });

const post = (group, message) => pubsub.publish(group, { room_id: group, message });

const typeDefs = `
  input ChatRoom { roomName: String! }
  type ChatRoomMessage { roomName: String!, currentUser: String!, message: String! }
  type Query { ok: Boolean! }
  type Mutation { sendChatMessage(room: ChatRoom!, message: String!): Boolean }
  type Subscription { joinChatRooms(rooms: [ChatRoom!]!, user: String!): ChatRoomMessage! }
`;
const resolvers = {
  Query: { ok: () => true },
  Mutation: {
    sendChatMessage: async (_, { room, message }) => { await post(`chat_${room.roomName}`, message); },
  },
  Subscription: {
    joinChatRooms: {
      subscribe: (_, { rooms }) => pubsub.asyncIterableIterator(rooms.map(room => `chat_${room.roomName}`)),
      resolve: (event, { user }) => ({ roomName: event.room_id, message: event.message, currentUser: user }),
    },
  },
};
const graphqlSockets = new WebSocketServer({ noServer: true });
useServer({ schema: makeExecutableSchema({ typeDefs, resolvers }) }, graphqlSockets);

const browserSockets = new WebSocketServer({ noServer: true });
const browsers = new Map(); // by group
const subscriber = connect();
subscriber.on('message', (group, event) => {
  const frame = JSON.stringify({ message: JSON.parse(event).message });
  for (const browser of browsers.get(group) || []) browser.send(frame);
});
browserSockets.on('connection', (browser, request) => {
  const group = `chat_${request.url.split('/')[3]}`;
  if (!browsers.has(group)) {
    browsers.set(group, new Set());
    subscriber.subscribe(group);
  }
  browsers.get(group).add(browser);
  browser.on('message', frame => post(group, JSON.parse(frame).message));
  browser.on('close', () => browsers.get(group).delete(browser));
});

const server = http.createServer((_, response) => response.end());
server.on('upgrade', (request, socket, head) => {
  const sockets = request.url.startsWith('/graphql') ? graphqlSockets : browserSockets;
  sockets.handleUpgrade(request, socket, head, client => sockets.emit('connection', client, request));
});
server.listen(+process.env.PORT, '127.0.0.1');
