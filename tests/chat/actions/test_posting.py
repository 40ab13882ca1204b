from chat.actions import posting
from chat.domain import people
from chat.domain.rooms import find


async def test_post_returns_the_entry_that_listeners_hear(open_chat) -> None:
    socket = await open_chat("/ws/chat/post/")
    entry = await posting.post(room=find("post"), message="hi", person=people.new_guest("Ann"))
    frame = await socket.receive_json_from(timeout=5)
    assert (frame["message"], frame["user"], frame["id"], frame["offset"]) == ("hi", "Ann", entry.event.id, 1)
