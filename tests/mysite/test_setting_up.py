"""`manage.py setup`: its questions, what it writes, and the account and the invitation that it makes."""

import builtins
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from mysite import dotenv, first_account, setting_up
from tests.servers import ROOT, environment

Answer = Callable[[Sequence[str]], None]
WRONG_DATABASE = "postgres://chat@127.0.0.1:1/chat"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """Has questions be answered one after the other; then the input ends."""

    def begin(answers: Sequence[str]) -> None:
        left = iter(answers)

        def answer(question: str) -> str:
            try:
                return next(left)
            except StopIteration:
                raise EOFError from None

        monkeypatch.setattr(builtins, "input", answer)

    return begin


def write_env_of_compose(file: Path, *options: str) -> dict[str, str]:
    setting_up.main(["--compose", str(file), *options])
    return dotenv.read(file)


def test_answers_are_written_for_the_owner_alone_with_secrets_of_its_own(file: Path, answering: Answer) -> None:
    answering(["Chat.Example.org", "", "invitation"])
    values = write_env_of_compose(file)
    assert len(values.pop("SECRET_KEY")) > 50
    assert re.fullmatch(r"[\w-]{40,}", values.pop("POSTGRES_PASSWORD"))
    assert values == {"SITE_DOMAIN": "chat.example.org", "CHAT_REGISTRATION": "invitation", "CHAT_GUESTS": "false"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_wrong_answers_are_asked_for_again_with_what_to_do(
    file: Path, answering: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong_names = ["", "https://chat.example.org", "a b", "a,b", "-", "é"]
    wrong_mails = [
        "mail.example.org",
        "smtp://",
        "http://a",
        "smtp://a:pa$s@b",
        "smtp://[",
        "smtp://a:99999",
        "smtp://a:1/b@c",
    ]
    answering([*wrong_names, "localhost", *wrong_mails, "smtp+tls://u:p%24@mail.example.org:587", "yes", "open"])
    values = write_env_of_compose(file)
    assert values["EMAIL_URL"] == "smtp+tls://u:p%24@mail.example.org:587"
    assert values["SITE_DOMAIN"] == "localhost"
    told = capsys.readouterr().out
    assert told.count("   Give ") == len(wrong_names)
    assert told.count("   It is like smtp+tls://") == len(wrong_mails)
    assert "Answer open or invitation or closed" in told


def test_break_off_at_any_question_writes_nothing(file: Path, answering: Answer) -> None:
    answers = ["chat.example.org", "", "closed"]
    for asked in range(len(answers)):
        answering(answers[:asked])
        with pytest.raises(SystemExit, match="Broken off"):
            write_env_of_compose(file)
        assert not file.exists()


def test_what_the_file_has_stays_and_is_changed_only_by_a_yes(file: Path, answering: Answer) -> None:
    kept = "# ours\nSECRET_KEY=a$b\nLOG_LEVEL=DEBUG\nSITE_DOMAIN=old.example.org\nPOSTGRES_PASSWORD=old\n"
    file.write_text(kept)
    answering(["", "", ""])
    assert write_env_of_compose(file)["SITE_DOMAIN"] == "old.example.org"
    assert file.read_text() == f"{kept}CHAT_REGISTRATION=open\n"
    before = file.read_text()
    answering(["new.example.org", "", "", "n"])
    with pytest.raises(SystemExit, match="Nothing is changed"):
        write_env_of_compose(file)
    assert file.read_text() == before
    answering(["new.example.org", "", "", "y"])
    write_env_of_compose(file)
    assert file.read_text() == before.replace("old.example.org", "new.example.org")


def test_without_input_options_answer_and_change_nothing_unless_told_to(file: Path) -> None:
    for options, told in (
        ([], "--domain: Give one name"),
        (["--domain", "a b"], "--domain: Give the name alone"),
        (["--domain", "a.example", "--email", "x"], "--email: It is like"),
    ):
        with pytest.raises(SystemExit, match=told):
            write_env_of_compose(file, "--no-input", *options)
        assert not file.exists()
    write_env_of_compose(file, "--no-input", "--domain", "a.example")
    with pytest.raises(SystemExit, match="other values of SITE_DOMAIN"):
        write_env_of_compose(file, "--no-input", "--domain", "b.example")
    write_env_of_compose(file, "--no-input", "--domain", "b.example", "--overwrite")
    assert dotenv.read(file)["SITE_DOMAIN"] == "b.example"


def test_database_that_cannot_be_used_is_refused_with_what_to_do(file: Path) -> None:
    for url, told in (("mysql://a", "begins with postgres://"), (WRONG_DATABASE, "can't be reached")):
        with pytest.raises(SystemExit, match=told):
            setting_up.main(["--env-file", str(file), "--no-input", "--database", url])
        assert not file.exists()


@pytest.mark.parametrize("password", ["p@s%40", "se/cret", "12/ret", "se#cret", "se?cret", "12?ret", "p%s", "100%"])
def test_database_whose_password_is_not_percent_encoded_is_refused_without_a_part_of_it(
    file: Path, password: str
) -> None:
    for url in (f"postgres://chat:{password}@127.0.0.1:1/chat", f"postgresql://{password}@127.0.0.1/chat"):
        with pytest.raises(SystemExit, match=r"^--database: It can't be understood.*@ is %40, / is %2F") as refused:
            setting_up.main(["--env-file", str(file), "--no-input", "--database", url])
        assert password not in str(refused.value)
        assert not re.search(r"ret|%s|100", str(refused.value))


@pytest.mark.parametrize(
    "place", ["u:p%40s%2F%25@127.0.0.1:1/chat", "u@%2Fnowhere/chat", "/chat?host=/nowhere", "127.0.0.1:1,[::1]:1/chat"]
)
def test_database_of_other_forms_is_tried(file: Path, place: str) -> None:
    with pytest.raises(SystemExit, match="It can't be reached"):
        setting_up.main(["--env-file", str(file), "--no-input", "--database", f"postgres://{place}"])


def test_redis_is_an_option_that_nobody_is_asked_about(file: Path, tmp_path: Path) -> None:
    for url, told in (("one:6379", "begin with redis://"), ("redis://:12/ret@one", "percent-encoded")):
        with pytest.raises(SystemExit, match=f"^--redis: It has to .*{told}") as refused:
            setting_up.main(["--env-file", str(file), "--no-input", "--redis", url])
        assert "ret" not in str(refused.value)
    options = setting_up.parser().parse_args(["--no-input", "--redis", "redis://:a%2Fb@one:6379/0,redis://two"])
    assert setting_up.answers(options, {})["REDIS_URL"] == options.redis
    assert "REDIS_URL" not in setting_up.answers(setting_up.parser().parse_args(["--no-input"]), {})


def test_file_that_cannot_be_written_is_told_before_the_first_question(
    file: Path, answering: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering([])  # a question would end it by "Broken off"
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(
        SystemExit, match=rf"^{file} can't be written by this user. Run this as root, or as \w+, to whom"
    ):
        write_env_of_compose(file)
    monkeypatch.setattr(os, "access", lambda *_: True)
    file.write_text("A=b\n")  # which would be another's, written anew
    with pytest.raises(SystemExit, match=f"to whom {file} belongs"):
        write_env_of_compose(file)


def test_file_written_again_keeps_owner_group_and_mode(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("A=b\n")
    file.chmod(0o640)
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "chown", lambda path, user, group: given.append((user, group)))
    dotenv.write(file, {"A": "c"})
    assert file.read_text() == "A=c\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert given == [(file.stat().st_uid, file.stat().st_gid)]


def test_what_root_has_made_in_a_folder_is_given_to_the_owner_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "one").touch()
    (tmp_path / "twice").touch()
    os.link(tmp_path / "twice", tmp_path / "again")
    given: set[str] = set()
    real = os.lstat
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda path, user, group, **_: given.add(os.path.relpath(path, tmp_path)))
    folder = os.stat_result((0o40755, 0, 0, 1, 7, 7, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda path: folder)
    monkeypatch.setattr(os, "lstat", lambda path: os.stat_result((*real(path)[:4], 0, 0, *real(path)[6:10])))
    dotenv.give_back(tmp_path)
    assert given == {"metrics", "metrics/one"}  # and no file that has a name elsewhere, which may be anything


@pytest.mark.django_db
def test_setup_makes_file_tables_staff_account_and_invitation_and_does_so_once(tmp_path: Path) -> None:
    file, database = tmp_path / ".env", tmp_path / "db.sqlite3"
    options = ["--no-input", "--env-file", str(file), "--domain", "chat.example.org", "--username", "ann"]
    options += ["--database", f"sqlite:///{database}", "--registration", "invitation"]
    variables = environment(
        SECRET_KEY="", ALLOWED_HOSTS="", DATABASE_URL="", CHAT_HTTPS="", CHAT_SETUP_PASSWORD="12345"
    )

    def run(**changed: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", "setup", *options]
        return subprocess.run(command, cwd=ROOT, env={**variables, **changed}, capture_output=True, text=True)

    refused = run()
    assert (refused.returncode, file.exists()) == (1, False), refused.stderr
    assert "CHAT_SETUP_PASSWORD: This password is too short" in refused.stderr
    done = run(CHAT_SETUP_PASSWORD="correct horse 7")
    assert done.returncode == 0, done.stderr
    assert "The staff account ann is made: log in at https://chat.example.org/accounts/login/" in done.stdout
    assert "Next: start the site" in done.stdout
    assert re.search(r"https://chat\.example\.org/invitations/chat_\w{36}/", done.stdout)
    assert "correct horse" not in done.stdout + done.stderr + file.read_text()
    again = run()
    assert (again.returncode, "There is a staff account already" in again.stdout) == (0, True), again.stderr
    with sqlite3.connect(database) as connection:
        assert connection.execute("SELECT username, is_staff FROM auth_user").fetchall() == [("ann", 1)]
        assert connection.execute("SELECT count(*) FROM chat_invitation").fetchall() == [(1,)]
        assert connection.execute("SELECT verb, person_name, via FROM chat_auditrecord").fetchall() == [
            ("invitation.made", "ann", "manage.py setup")
        ]


@pytest.mark.django_db
@pytest.mark.parametrize("running", [True, False])
def test_end_of_setup_says_to_start_the_site_unless_it_is_running(
    running: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    first_account.finish(first_account.Wanted("ann", "correct horse 7"), running=running)
    assert ("Next: start the site" in capsys.readouterr().out) is not running
