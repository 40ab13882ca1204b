#!/bin/sh
# A bot that answers `!echo …` in a room, in POSIX shell with curl and jq: it misses no message, and answers each once,
# whatever is restarted meanwhile. README.md, beside this file, says how to run it and what to change.
# shellcheck disable=SC2016 # GraphQL's variables aren't the shell's
set -eu

url=${CHAT_URL:-http://127.0.0.1:8000}
room=${CHAT_ROOM:-room1}
position=${CHAT_POSITION:-position} # a file with two lines: the id of the last event, and its offset
longest_pause=30 # seconds between two attempts

BEGIN='query Begin($room: String!) { me { id name } room(name: $room) { lastOffset } }'
LISTEN='subscription Listen($room: String!) {
  roomMessages(rooms: [{ roomName: $room }], kinds: [MESSAGE]) { kind offset id message user { id } } }'
HISTORY='query History($room: String!, $after: String) { room(name: $room) {
  messages(first: 100, after: $after) { pageInfo { hasNextPage } edges { node { kind offset id message user { id } } } } } }'
POST='mutation Post($input: PostMessageInput!) { postMessage(input: $input) { error { code message retryAfter } } }'

# The bot's answer to a message, or nothing. This is yours to change.
answer() {
    case $1 in
        '!echo') printf 'What shall I say?' ;;
        '!echo '*) printf '%s' "${1#!echo }" ;;
    esac
}

log() { printf 'bot: %s\n' "$*" >&2; }

refused() {
    log "$1 Make another token at $url/accounts/tokens/, or look at its scopes and rooms."
    exit 1
}

[ -n "${CHAT_TOKEN:-}" ] || {
    log 'Set CHAT_TOKEN to a token with the scopes read and write: /accounts/tokens/ of the site makes one.'
    exit 1
}

# The token is in a file that others can't read, and so in no list of processes.
scratch=$(mktemp -d)
printf 'header = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\nsilent\nshow-error\n' \
    "$CHAT_TOKEN" >"$scratch/curl"
child=
clean() {
    [ -z "$child" ] || kill "$child" 2>/dev/null || true
    rm -rf "$scratch"
}
trap clean EXIT
trap 'log Stopped; exit 0' INT TERM

# Up to $1 seconds, by chance: the clients of a server that restarts shouldn't come back all at once.
pause() {
    sleep "$((1 + $1 * $(od -An -N1 -tu1 /dev/urandom) / 256))" &
    child=$!
    wait "$child"
}

longer() { attempt=$((attempt * 2 > longest_pause ? longest_pause : attempt * 2)); }

# body QUERY VARIABLES: a request's.
body() { jq -nc --arg query "$1" --argjson variables "$2" '{$query, $variables}'; }

# code: of the first error in the JSON of standard input; empty where there is none, `unreadable` for no JSON.
code() { jq -r '.errors[0] as $e | if $e then $e.extensions.code // "invalid" else .data.postMessage.error.code // "" end' \
    2>/dev/null || echo unreadable; }

message() { jq -r '.errors[0].message // .data.postMessage.error.message'; }

may_succeed_later() {
    case $1 in
        unreadable | unavailable | rate_limited | slow_mode | slow_listener | internal_error) ;;
        *) return 1 ;;
    esac
}

# ask QUERY VARIABLES: puts the answer into $reply, and its error's code into $error. Asks until there is one.
ask() {
    attempt=1
    while :; do
        reply=$(curl --config "$scratch/curl" --max-time 30 --data "$(body "$1" "$2")" "$url/graphql") || reply=
        error=$(printf '%s' "$reply" | code)
        [ -n "$reply" ] || error=unreadable
        may_succeed_later "$error" || return 0
        log "Asking again, after: ${reply:-no answer}"
        pause "$attempt"
        longer
    done
}

# Called after a message is handled, not before. Written beside the file and moved there: no crash leaves half of it.
keep() {
    printf '%s\n%s\n' "$1" "$2" >"$position.new"
    mv "$position.new" "$position"
    id=$1 offset=$2
}

# handle MESSAGE: sets $reached to its offset.
# shellcheck disable=SC2154 # jq names the variables
handle() {
    eval "$(printf '%s' "$1" | jq -r '@sh "kind=\(.kind) reached=\(.offset) uid=\(.id) user=\(.user.id) text=\(.message)"')"
    [ "$reached" -gt "$offset" ] && [ "$kind" = MESSAGE ] && [ "$user" != "$me" ] || return 0
    words=$(answer "$text")
    [ -n "$words" ] || return 0
    # A message that was handled, but not kept as the position, is handled again. The id makes its answer one.
    ask "$POST" "$(jq -nc --arg room "$room" --arg message "$words" --argjson to "$reached" --arg id "answer-$uid" \
        '{input: {roomName: $room, message: $message, replyTo: $to, clientId: $id}}')"
    case $error in
        '') ;;
        insufficient_scope | not_a_member | banned | removed | invalid_token | invalid)
            refused "$(printf '%s' "$reply" | message)" # it stays unhandled, for when it may be answered
            ;;
        *) log "Not posted: $reply" ;;
    esac
}

# start_over OFFSET: too much was missed to be sent again, or the room's log was set back. The history has what there is.
start_over() {
    more=true
    [ "$offset" -le "$1" ] || offset=$1
    while [ "$more" = true ] && [ "$offset" -lt "$1" ]; do
        ask "$HISTORY" "$(jq -nc --arg room "$room" --arg after "$offset" '{$room, $after}')"
        [ -z "$error" ] || refused "$(printf '%s' "$reply" | message)"
        more=$(printf '%s' "$reply" | jq .data.room.messages.pageInfo.hasNextPage)
        printf '%s' "$reply" | jq -c '.data.room.messages.edges[].node' >"$scratch/page"
        while IFS= read -r node; do
            handle "$node"
            keep "$id" "$reached"
        done <"$scratch/page"
    done
    reached=$(($1 > offset ? $1 : offset))
}

# One event of the stream: $event, $data and $new_id are what came since the last one.
take() {
    case $event in
        next)
            problem=$(printf '%s' "$data" | code)
            if [ -n "$problem" ]; then
                may_succeed_later "$problem" || refused "$(printf '%s' "$data" | message)"
                return 0
            fi
            data=$(printf '%s' "$data" | jq -c .data.roomMessages)
            reached=$(printf '%s' "$data" | jq '.offset // empty')
            [ -n "$reached" ] || return 0 # it isn't stored: another program has told it to the room
            case $data in
                *'"kind":"START_OVER"'*) start_over "$reached" ;;
                *) handle "$data" ;;
            esac
            keep "$new_id" "$reached"
            ;;
        '') # where the stream begins
            [ "$new_id" = "$id" ] || keep "$new_id" "$offset"
            ;;
    esac
}

# Listens until the stream ends. curl writes the status after it.
listen() {
    rm -f "$scratch/stream" && mkfifo "$scratch/stream"
    exec 3<>"$scratch/stream" # so that neither side waits, to open it, for the other, which may have been killed
    curl --config "$scratch/curl" --no-buffer --keepalive-time 20 --connect-timeout 10 --header 'Accept: text/event-stream' \
        ${id:+--header "Last-Event-ID: $id"} --data "$(body "$LISTEN" "$(jq -nc --arg room "$room" '{$room}')")" \
        --write-out '\n\nstatus: %{http_code}\n' "$url/graphql" >"$scratch/stream" 3>&- &
    child=$!
    exec 4<"$scratch/stream" 3>&-
    event='' data='' new_id=$id status=''
    while IFS= read -r line; do
        case $line in
            'event: '*) event=${line#event: } ;;
            'data: '*) data=${line#data: } ;;
            'id: '*) new_id=${line#id: } ;;
            'status: '*) status=${line#status: } ;;
            '')
                take
                event='' data=''
                ;;
        esac
    done <&4
    exec 4<&-
    child=
    case $status in
        401 | 403) refused "The site refuses the token ($status)." ;;
        200) attempt=1 ;;
    esac
}

id='' offset=''
ask "$BEGIN" "$(jq -nc --arg room "$room" '{$room}')"
[ -z "$error" ] || refused "$(printf '%s' "$reply" | message)"
eval "$(printf '%s' "$reply" | jq -r '.data | @sh "me=\(.me.id) name=\(.me.name) offset=\(.room.lastOffset)"')"
[ ! -e "$position" ] || { read -r id && read -r offset; } <"$position"
# shellcheck disable=SC2154
log "Listening to $room as $name, after $offset"
attempt=1
while :; do
    listen
    log 'The stream has ended'
    pause "$attempt"
    longer
done
