"""Live tests as a reader of the Channels tutorial writes them: by either runner, with either settings.

The module below is all that such a reader writes. It lies outside the repository's tests: nothing of theirs helps.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.servers import ROOT

READERS_TESTS = '''
import json

from channels.testing import ChannelsLiveServerTestCase
from websockets.sync.client import connect

from chat.models import Message, Room


class RoomTests(ChannelsLiveServerTestCase):
    serve_static = True

    def enter(self, room):
        """A socket that stays open, over the tests that follow too."""
        url = f"{self.live_server_ws_url}/ws/chat/{room}/"
        return self.enterClassContext(connect(url, origin=self.live_server_url, close_timeout=0.1))

    def talk(self, room, count):
        self.assertFalse(Message.objects.exists())
        first, second = self.enter(room), self.enter(room)
        for number in range(count):
            text = f"{self.id()} {number}"
            first.send(json.dumps({"message": text}))
            for socket in first, second:
                while (heard := json.loads(socket.recv(timeout=2))["message"]) != text:
                    self.assertNotIn("RoomTests", heard)
            self.assertEqual(Message.objects.get(offset=number + 1, room__name=room).text, text)
        self.assertEqual(Message.objects.filter(room__name=room).count(), count)
        Room.objects.create(name=f"written by the test beside {room}")
        return first, second

    def test_first(self):
        self.talk("room_1", 20)

    def test_second_in_the_same_room_with_sockets_left_open(self):
        self.talk("room_1", 20)

    def test_third_after_sockets_were_closed(self):
        for socket in self.talk("room_1", 5):
            socket.close()

    def test_two_rooms(self):
        self.talk("room_1", 3)
        Message.objects.all().delete()
        Room.objects.all().delete()
        self.talk("room_2", 3)


class OtherRoomTests(RoomTests):
    """A second server in the same run."""

    def test_user_made_by_the_test(self):
        from django.contrib.auth.models import User

        User.objects.create_user("ann")
        self.talk("room_1", 3)

'''

# pytest runs these in the same process before it forks, so that asgiref's thread and its connection are there.
ASYNC_TESTS = """
import pytest
from chat.models import Room
from chat.storage.database import in_database


@pytest.mark.django_db(transaction=True)
async def test_before():
    assert not await in_database(Room.objects.exists)
"""

MANAGE = [sys.executable, "manage.py", "test", "--noinput"]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "pyproject.toml", "--rootdir", "."]


@pytest.mark.parametrize(
    ("runner", "settings"),
    [
        (MANAGE, "mysite.settings"),
        (MANAGE, "mysite.test_settings"),
        (PYTEST, "mysite.settings"),
        (PYTEST, "mysite.test_settings"),
        ([*PYTEST, "-n", "2"], "mysite.test_settings"),
    ],
    ids=["manage.py default", "manage.py tests", "pytest default", "pytest tests", "xdist"],
)
def test_live_tests_pass_under_either_runner_with_either_settings(
    tmp_path: Path, runner: list[str], settings: str
) -> None:
    (tmp_path / "test_rooms.py").write_text(READERS_TESTS)
    if "pytest" in runner:
        (tmp_path / "test_async.py").write_text(ASYNC_TESTS)
    run = f"{os.environ['CHAT_TEST_RUN']}-live-{uuid.uuid4().hex}"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": settings,
        "CHAT_TEST_RUN": run,
        "CHAT_VALKEY_DIR": str(tmp_path / "valkey"),  # rates are limited by default, for all who share a Valkey
        "CHAT_LIMITS": "on",
        "PYTHONPATH": str(tmp_path),
    }
    environment.pop("PYTEST_XDIST_WORKER", None)

    with (ROOT / "var" / "live-tests.lock").open("w") as lock:
        if settings == "mysite.settings":
            fcntl.flock(lock, fcntl.LOCK_EX)  # all runs with these settings have one test database
        done = subprocess.run(
            [*runner, str(tmp_path)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    for place in (ROOT / "var" / "tests").glob(f"{run}*"):
        shutil.rmtree(place)

    assert done.returncode == 0, done.stdout + done.stderr
