"""Links in a text are found, and looked up in the list of those that operators let through."""

import pytest

from campaigns.text.links import entries, links, listed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Pay at https://acme.example/pay.", ["https://acme.example/pay"]),
        ("Pay at HTTP://ACME.example", ["HTTP://ACME.example"]),
        ("See www.acme.example, or call", ["www.acme.example"]),
        ("Pay at acme.example/pay -ACME", ["acme.example/pay"]),
        ("acme.example/a?b=1&c=2 and go.acme.example/x", ["acme.example/a?b=1&c=2", "go.acme.example/x"]),
        ("(https://acme.example/a)", ["https://acme.example/a"]),
        ("Write to asha@acme.example/ or not", []),
        ("Rs 1.50/month for 2.5/3 rows", []),
        ("and/or 24/7 e.g./i.e.", []),
        ("No link here. Thanks.Bye", []),
        ("", []),
    ],
)
def test_links_are_found_as_phones_find_them(text, found):
    assert links(text) == found


@pytest.mark.parametrize(
    ("link", "allowed", "inside"),
    [
        ("https://acme.example/pay", ["acme.example"], True),
        ("https://www.acme.example/pay", ["acme.example"], True),
        ("http://ACME.example", ["https://acme.example/"], True),
        ("go.acme.example/x", ["acme.example"], True),
        ("acme.example:8080/x", ["acme.example"], True),
        ("acme.example?x=1", ["acme.example"], True),
        ("acme.example/pay/7", ["acme.example/pay?"], True),
        ("acme.example/pay?id=7", ["acme.example/pay?"], True),
        ("acme.example/other", ["acme.example/pay"], False),
        ("evilacme.example/pay", ["acme.example"], False),
        ("acme.example.evil.test/pay", ["acme.example"], False),
        ("https://acme.example@evil.test/", ["acme.example"], False),
        ("evil.test/acme.example", ["acme.example"], False),
        ("acme.example/pay", [], False),
    ],
)
def test_a_link_is_inside_the_list_by_its_host_and_the_beginning_of_its_path(link, allowed, inside):
    assert listed(link, entries("\n".join(allowed))) == inside


def test_a_list_is_typed_in_lines_or_with_commas():
    assert entries(" acme.example \n\nhttps://go.acme.example/x?, acme.example") == {
        "acme.example",
        "https://go.acme.example/x?",
    }


@pytest.mark.parametrize("text", ["acme", "http://", "acme example", "javascript:alert(1)", "acme.example\n/pay"])
def test_what_is_no_link_is_named(text):
    with pytest.raises(ValueError, match="is no link"):
        entries(text)
