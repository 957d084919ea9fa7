from mailsys.journal.ids import SessionIds, as_heard, given_at, transaction_id

NOW = 1_795_435_445.0


def test_ids_are_short_and_easy_to_say():
    first = SessionIds(lambda: NOW).next()
    assert len(first) == 9
    assert set(first) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    assert transaction_id(first, 2) == f"{first}.2"


def test_ids_of_one_moment_differ_and_rise():
    ids = SessionIds(lambda: NOW)
    made = [ids.next() for _ in range(2000)]
    assert made == sorted(set(made))


def test_ids_sort_by_time_over_decades():
    at = [NOW + step for step in (0, 0.01, 1, 3600, 86_400 * 365, 86_400 * 365 * 50)]
    made = [SessionIds(lambda moment=moment: moment).next() for moment in at]
    assert made == sorted(set(made))


def test_a_clock_that_goes_back_repeats_no_id():
    times = iter([NOW, NOW - 3600, NOW - 7200])
    ids = SessionIds(lambda: next(times))
    made = [ids.next() for _ in range(3)]
    assert made == sorted(set(made))


def test_a_restart_with_a_wrong_clock_repeats_no_id():
    before = SessionIds(lambda: NOW).next()
    for clock in (NOW, NOW - 86_400, 0.0):
        assert SessionIds(lambda clock=clock: clock, before).next() > before
    assert SessionIds(lambda: NOW + 5, before).next() == SessionIds(lambda: NOW + 5).next()


def test_a_start_that_is_no_id_does_no_harm():
    for start in ("", "queue", "ÄÖÜÄÖÜÄÖÜ", "iiiiiiiii", "4k2m9x7qa.1"):
        assert len(SessionIds(lambda: NOW, start).next()) == 9


def test_an_id_is_understood_as_it_was_heard():
    assert as_heard(" 4K2M9X7QO.L\n") == "4k2m9x7q0.1"


def test_an_id_tells_when_it_was_given():
    id_ = SessionIds(lambda: NOW + 0.5).next()
    assert given_at(f"{id_}.1.2") == given_at(id_) == NOW + 0.5
    assert given_at("n.1") == given_at("") == 0.0
