"""The people of one process in a room."""

from chat.delivery.rooms.people_here import LINGER, TYPERS_MAX, PeopleHere, Typers
from chat.domain.people import Person

ANN, BEN = Person(id="user-1", name="Ann"), Person(id="user-2", name="Ben")


def test_person_with_several_listeners_leaves_with_the_last() -> None:
    here = PeopleHere()
    assert [here.arrive(ANN) for _ in range(3)] == [True, False, False]
    assert [here.depart(ANN, 0, linger=False) for _ in range(3)] == [False, False, True]
    assert here.people == {}


def test_person_lingers_and_then_leaves() -> None:
    here = PeopleHere()
    here.arrive(ANN)
    assert not here.depart(ANN, 10, linger=True)
    assert here.next_expiry == 10 + LINGER
    assert not here.expire(10 + LINGER - 0.1)
    assert here.people == {ANN.id: ANN}
    assert here.expire(10 + LINGER)
    assert here.people == {}


def test_person_who_comes_back_while_lingering_has_one_listener() -> None:
    here = PeopleHere()
    here.arrive(ANN)
    here.depart(ANN, 10, linger=True)
    assert not here.arrive(ANN)
    assert not here.expire(10 + 2 * LINGER)
    assert here.depart(ANN, 30, linger=False)


def test_those_who_left_first_are_gone_first() -> None:
    here = PeopleHere()
    for person in (ANN, BEN):
        here.arrive(person)
    here.depart(BEN, 1, linger=True)
    here.depart(ANN, 2, linger=True)
    here.expire(1 + LINGER)
    assert here.people == {ANN.id: ANN}


def test_another_name_changes_who_is_here() -> None:
    here = PeopleHere()
    here.arrive(ANN)
    assert here.rename(Person(id=ANN.id, name="Anna"))
    assert not here.rename(Person(id=BEN.id, name="Benno"))
    assert [person.name for person in here.people.values()] == ["Anna"]


def test_typers_are_no_more_than_so_many() -> None:
    typers = Typers()
    for number in range(TYPERS_MAX + 5):
        typers.note(Person(id=str(number), name="x"), 10)
    assert len(list(typers)) == TYPERS_MAX
    assert typers.expire(10)
    assert not typers
