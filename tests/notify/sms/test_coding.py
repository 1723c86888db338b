"""Text to octets and back: GSM 7 bit against the SMS centre's own table, UCS-2, parts."""

from hypothesis import given
from hypothesis import strategies as st

from meldkamer.notify.sms import coding, gsm

ALL = "".join(gsm._CODES)


def test_the_alphabet_is_whole_and_each_character_has_one_code() -> None:
    # 128 places without the escape, and the ten of the extension
    assert len(ALL) == 137
    assert len({gsm.encode(char) for char in ALL}) == 137
    assert gsm.decode(gsm.encode(ALL)) == ALL


def test_what_phones_send_most_stands_where_the_standard_has_it() -> None:
    known = {"@": "00", "£": "01", "$": "02", "_": "11", "§": "5f", "`": None, "€": "1b65"}
    for char, code in known.items():
        assert gsm.fits(char) == (code is not None)
        if code is not None:
            assert gsm.encode(char).hex() == code


def test_a_text_in_gsm_of_160_goes_alone_and_one_more_makes_two() -> None:
    assert [len(part) for part in coding.cut("a" * 160).parts] == [160]
    assert [len(part) for part in coding.cut("a" * 161).parts] == [153, 8]


def test_a_euro_counts_for_two_and_is_never_cut() -> None:
    assert len(coding.cut("a" * 158 + "€").parts) == 1
    assert len(coding.cut("a" * 159 + "€").parts) == 2
    parts = coding.cut("a" * 152 + "€" + "b" * 20).parts
    assert [len(part) for part in parts] == [152, 22]
    assert parts[1].startswith(b"\x1b\x65")


def test_a_single_foreign_letter_makes_it_ucs2_with_70_in_a_text() -> None:
    cut = coding.cut("ê" * 70)
    assert (cut.data_coding, [len(part) for part in cut.parts]) == (8, [140])
    assert [len(part) for part in coding.cut("ê" * 71).parts] == [134, 8]


def test_an_emoji_is_never_cut() -> None:
    parts = coding.cut("ê" * 66 + "🔥" * 10).parts
    assert [len(part) for part in parts] == [132, 40]
    assert parts[1].decode("utf-16-be") == "🔥" * 10


@given(
    st.text(alphabet=st.sampled_from(ALL + "êλЖ漢🔥"), max_size=700),
    st.sampled_from(["gsm", "latin1"]),
)
def test_the_parts_put_together_are_the_text(text: str, alphabet: coding.Alphabet) -> None:
    cut = coding.cut(text, alphabet)
    whole = b"".join(cut.parts)
    assert coding.decode(cut.data_coding, whole, alphabet) == text
    for part in cut.parts:
        # each is text of its own: nothing was cut in two
        assert "\ufffd" not in coding.decode(cut.data_coding, part, alphabet)
    assert coding.whole(text, alphabet) == (cut.data_coding, whole)


@given(st.binary(max_size=200), st.integers(0, 255))
def test_no_octets_and_no_coding_make_reading_fail(octets: bytes, data_coding: int) -> None:
    text = coding.decode(data_coding, octets)
    assert isinstance(text, str)
    text.encode()  # no half characters that a database refuses


@given(st.integers(0, 255), st.integers(2, 255), st.data())
def test_a_header_is_read_as_it_was_written(ref: int, of: int, data: st.DataObject) -> None:
    piece = coding.PieceOf(ref, of, data.draw(st.integers(1, of)))
    assert coding.take_header(coding.header(piece) + b"rest") == (piece, b"rest")


def test_a_header_with_a_ref_of_16_bits_and_other_things_in_it_is_read() -> None:
    ports = bytes([0x05, 4, 0, 1, 0, 2])
    piece = bytes([0x08, 4, 0x12, 0x34, 3, 2])
    octets = bytes([len(ports + piece)]) + ports + piece + b"ok"
    assert coding.take_header(octets) == (coding.PieceOf(0x1234, 3, 2), b"ok")


@given(st.binary(max_size=30))
def test_a_broken_header_loses_no_octet_of_the_text(octets: bytes) -> None:
    _, rest = coding.take_header(octets)
    assert octets.endswith(rest)


def test_a_header_longer_than_the_text_is_none() -> None:
    assert coding.take_header(b"ok?") == (None, b"ok?")
    assert coding.take_header(b"") == (None, b"")


def test_a_centre_whose_own_alphabet_is_latin1_gets_latin1() -> None:
    cut = coding.cut("été à 5", "latin1")
    assert (cut.data_coding, cut.parts) == (0, ("été à 5".encode("latin-1"),))
    # ten of GSM take two there as well, so the limit is kept
    assert len(coding.cut("[" * 81, "latin1").parts) == 2
    # what Latin-1 lacks goes as UCS-2
    assert coding.cut("5 €", "latin1").data_coding == 8
