"""Phone numbers of every form, parts and prices, templates that no text can break out of."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.errors import Refused
from newsletter.sms import policy


@pytest.mark.parametrize(
    "text",
    [
        "0171 3920001", "0171/3920001", "0171-39 20 001", "(0171) 3920001", "+49 171 3920001", "+49 (0)171 3920001", "0049 171 3920001", "+491713920001",
        "tel:+49-171-3920001", " 0171 392 0001 ", "0171.3920001", "+49\u00a0171\u00a03920001",
    ],
)  # fmt: skip
def test_a_number_is_one_number_however_it_is_written(text: str) -> None:
    assert policy.number(text, "de") == "+491713920001"


@pytest.mark.parametrize(
    ("text", "language", "number"),
    [("+43 660 1234567", "de", "+436601234567"), ("07400 123456", "en", "+447400123456"), ("+41 79 123 45 67", "de", "+41791234567")],
)
def test_numbers_of_other_countries_are_taken(text: str, language: str, number: str) -> None:
    assert policy.number(text, language) == number


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "12345", "030 123456", "0800 1234567", "+49 900 1234567", "112", "+1 202 555 0143", "+999 123", "null171", "0171 39200",
        "0171 3920001 Durchwahl 5", "+" * 30, "1" * 39, "ⅧⅧⅧⅧⅧⅧⅧ", "+7 912 345-67-89",
    ],
)  # fmt: skip
def test_what_can_get_no_message_here_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(Refused) as refused:
        policy.number(text, "de")
    assert refused.value.field == "number"


@pytest.mark.parametrize(
    ("text", "signs", "parts", "unicode"),
    [
        ("", 0, 1, False), ("a" * 160, 160, 1, False), ("a" * 161, 161, 2, False), ("a" * 306, 306, 2, False), ("a" * 307, 307, 3, False),
        ("ä" * 160, 160, 1, False), ("€" * 80, 160, 1, False), ("€" * 81, 162, 2, False), ("„" + "a" * 69, 70, 1, True), ("„" + "a" * 70, 71, 2, True),
        ("🫘" * 35, 70, 1, True), ("🫘" * 36, 72, 2, True),
    ],
)  # fmt: skip
def test_signs_are_counted_as_the_network_counts_them(text: str, signs: int, parts: int, unicode: bool) -> None:
    found = policy.size(text)
    assert (found.signs, found.parts, found.unicode) == (signs, parts, unicode)
    assert found.left >= 0


def test_typographic_signs_are_spelled_so_that_the_message_costs_half() -> None:
    text = "„Der Saatbrief“ – jetzt …"
    assert policy.size(text).unicode
    assert policy.spelled(text) == '"Der Saatbrief" - jetzt ...'
    assert not policy.size(policy.spelled(text)).unicode


def test_the_cost_is_people_times_parts_times_price() -> None:
    assert policy.cost(19, 2, 75) == 2850


NASTY = 'Böse", "to": "+4900000000000", "x": "{to} & {id}=1\n%s\\'


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("json", '{"messages": [{"to": "{to}", "body": "{text}"}], "from": "{from}", "ref": "{id}"}'),
        ("form", "to={to}&body={text}&from={from}&ref={id}"),
        ("query", "to={digits}&body={text}&fix=1"),
    ],
)  # fmt: skip
def test_no_text_changes_anything_but_the_text(shape: str, body: str) -> None:
    asked = policy.request("https://g.example/send", shape, {"X-Key": "k"}, body, to="+491713920001", text=NASTY, sender="Saat", key="1-2")
    assert asked.headers["X-Key"] == "k"
    if shape == "json":
        assert asked.body is not None
        assert json.loads(asked.body) == {"messages": [{"to": "+491713920001", "body": NASTY}], "from": "Saat", "ref": "1-2"}
    elif shape == "form":
        assert asked.body is not None
        assert dict(parse_qsl(asked.body.decode())) == {"to": "+491713920001", "body": NASTY, "from": "Saat", "ref": "1-2"}
    else:
        assert (asked.method, asked.body) == ("GET", None)
        assert dict(parse_qsl(urlsplit(asked.address).query)) == {"to": "491713920001", "body": NASTY, "fix": "1"}


@given(st.text(max_size=300))
def test_any_text_arrives_as_it_was(text: str) -> None:
    asked = policy.request("https://g.example/", "json", {}, '{"to": "{to}", "text": "{text}"}', to="+49", text=text, sender="", key="")
    assert asked.body is not None
    assert json.loads(asked.body) == {"to": "+49", "text": text}


@pytest.mark.parametrize("body", ['{"to": "{to}"}', '{"text": "{text}"}', '{"to": "{to}", "text": "{text}"', ""])
def test_a_template_without_its_places_is_refused(body: str) -> None:
    with pytest.raises(Refused):
        policy.request("https://g.example/", "json", {}, body, to="+49", text="x", sender="", key="")


@pytest.mark.parametrize("text", ["Authorization", "Host: x", "A b: c", "X: \x00", "Content-Length: 5", ": x"])
def test_a_header_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        policy.headers_from(text)
    assert policy.headers_from("Authorization: Bearer a:b\r\n\nX-Key: 1") == {"Authorization": "Bearer a:b", "X-Key": "1"}
