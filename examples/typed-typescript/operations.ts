/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** The kinds of entries and other events of a room. */
export type MessageKind =
  /** The message `target` was deleted. */
  | 'DELETION'
  /** The message `target` has this `message` as its text now. Sent to those who ask for it. */
  | 'EDIT'
  /** Somebody has joined by `joinChatRooms`. It isn't stored. */
  | 'GREETING'
  /** The message `target` has these `links`. It isn't stored, and sent to those who ask for it. */
  | 'LINKS'
  /** Something that a person said. */
  | 'MESSAGE'
  /** The room has changed, or the people who may be there: see `access`. */
  | 'NOTICE'
  /** The message `target` has these `reactions` from now on. Sent to those who ask for it. */
  | 'REACTION'
  /** Entries that you missed can't be brought any more: read the history before `offset`. Your position is this `offset` and `id` from now on. */
  | 'START_OVER';

export type PostMessageInput = {
  /** Files that you have uploaded to this room: see docs/protocol.md. Then `message` may be empty. */
  attachmentIds?: Array<string> | null | undefined;
  /** An id of your own making, such as a UUID. Sent again with the same one, the message is said once. */
  clientId?: string | null | undefined;
  /** The text, in a small Markdown: docs/protocol.md has its signs. */
  message: string;
  /** The `offset` of the message in this room that it replies to, and quotes. */
  replyTo?: number | null | undefined;
  roomName: string;
};

export type BeginQueryVariables = Exact<{
  room: string;
}>;


export type BeginQuery = { me: { id: string, name: string }, room: { lastOffset: number } };

export type ListenSubscriptionVariables = Exact<{
  room: string;
  after?: number | null | undefined;
  afterId?: string | null | undefined;
}>;


export type ListenSubscription = { roomMessages: { kind: MessageKind, offset: number | null, id: string | null, message: string, user: { id: string, name: string } | null } };

export type HistoryQueryVariables = Exact<{
  room: string;
  after?: string | null | undefined;
}>;


export type HistoryQuery = { room: { messages: { pageInfo: { hasNextPage: boolean }, edges: Array<{ node: { kind: MessageKind, offset: number | null, id: string | null, message: string, user: { id: string, name: string } | null } }> } } };

export type PostMutationVariables = Exact<{
  input: PostMessageInput;
}>;


export type PostMutation = { postMessage: { message: { offset: number | null } | null, error: { code: string, message: string, retryAfter: number | null } | null } };

export type HeardFragment = { kind: MessageKind, offset: number | null, id: string | null, message: string, user: { id: string, name: string } | null };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}
export const HeardFragmentDoc = new TypedDocumentString(`
    fragment Heard on ChatRoomMessage {
  kind
  offset
  id
  message
  user {
    id
    name
  }
}
    `, {"fragmentName":"Heard"}) as unknown as TypedDocumentString<HeardFragment, unknown>;
export const BeginDocument = new TypedDocumentString(`
    query Begin($room: String!) {
  me {
    id
    name
  }
  room(name: $room) {
    lastOffset
  }
}
    `) as unknown as TypedDocumentString<BeginQuery, BeginQueryVariables>;
export const ListenDocument = new TypedDocumentString(`
    subscription Listen($room: String!, $after: Int, $afterId: ID) {
  roomMessages(
    rooms: [{roomName: $room, after: $after, afterId: $afterId}]
    kinds: [MESSAGE]
  ) {
    ...Heard
  }
}
    fragment Heard on ChatRoomMessage {
  kind
  offset
  id
  message
  user {
    id
    name
  }
}`) as unknown as TypedDocumentString<ListenSubscription, ListenSubscriptionVariables>;
export const HistoryDocument = new TypedDocumentString(`
    query History($room: String!, $after: String) {
  room(name: $room) {
    messages(first: 100, after: $after) {
      pageInfo {
        hasNextPage
      }
      edges {
        node {
          ...Heard
        }
      }
    }
  }
}
    fragment Heard on ChatRoomMessage {
  kind
  offset
  id
  message
  user {
    id
    name
  }
}`) as unknown as TypedDocumentString<HistoryQuery, HistoryQueryVariables>;
export const PostDocument = new TypedDocumentString(`
    mutation Post($input: PostMessageInput!) {
  postMessage(input: $input) {
    message {
      offset
    }
    error {
      code
      message
      retryAfter
    }
  }
}
    `) as unknown as TypedDocumentString<PostMutation, PostMutationVariables>;