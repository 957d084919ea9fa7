"""The same bytes, cut in other places."""

from hypothesis import strategies as st

cuts = st.lists(st.integers(1, 60), min_size=1, max_size=5)


def pieces(data, sizes):
    """Cut the data into pieces of these sizes, over and over."""
    at, turn = 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at, turn = at + size, turn + 1


def flipped(data, places):
    """The data with some octets changed: ``places`` are pairs of a place and a new octet."""
    octets = bytearray(data)
    for place, octet in places:
        if octets:
            octets[place % len(octets)] = octet
    return bytes(octets)


flips = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=8)


def tried(declared, function, *arguments):
    """What the function returns, and None; or None, and the declared exception that it raised."""
    try:
        return function(*arguments), None
    except declared as error:
        return None, error
