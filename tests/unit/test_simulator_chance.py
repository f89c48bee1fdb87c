"""What the simulator leaves to chance, counts and measures, without a process around it."""

import asyncio
import base64
import urllib.request
from collections import Counter
from urllib.parse import unquote

import pytest

from campaigns.exotel.codes import every
from campaigns.exotel.simulator import forms, names, options, scenario, sms
from campaigns.exotel.simulator.__main__ import provider
from campaigns.exotel.simulator.errors import ERRORS
from campaigns.exotel.simulator.fates import Fates
from campaigns.exotel.simulator.faults import KINDS
from campaigns.exotel.simulator.ledger import Ledger
from campaigns.exotel.simulator.server import Request, Server, plain

NUMBERS = [f"98{i:08d}" for i in range(4000)]
AUTHORIZATION = "Basic " + base64.b64encode(b"demokey:demotoken").decode()


def exotel(*arguments):
    given = options.read(["--scenario", "all-delivered", *arguments])
    return provider(given, Ledger(given.ledger))


def ask(exotel, *numbers, at=1000.0):
    """The status of a bulksend to numbers that arrives at a time."""
    body = "From=ACMEIN&" + "&".join(f"Messages[{i}][To]={n}&Messages[{i}][Body]=x" for i, n in enumerate(numbers))
    path = "/v1/Accounts/exodemo1/Sms/bulksend.json"
    request = Request("POST", path, "", {"authorization": AUTHORIZATION}, body.encode(), at)
    return asyncio.run(exotel.answer(request)).status


def test_escapes_are_read_as_the_standard_library_reads_them():
    for text in (
        "a%20b",
        "%",
        "%4",
        "%zz",
        "%E0%A4%A8x%ff",
        "%ed%a0%80",
        "%e2%82",
        "%41%ff%42",
        "é%C3%A9",
        "%25" * 50,
        "%e2x%82%ac",
    ):
        assert forms._unquoted(text) == unquote(text)


def test_the_minute_slides():
    provider = exotel("--rate", "3")
    times = [1000.0, 1030.0, 1059.0, 1059.9, 1060.0, 1060.1, 1089.9, 1090.0, 1120.0]
    assert [ask(provider, NUMBERS[0], at=at) for at in times] == [200, 200, 200, 429, 200, 429, 429, 200, 200]
    assert provider.desk.ledger.tally.as_json()["max_requests_in_60s"] == 6, "refused ones have arrived too"


def test_the_busiest_minute_is_found_again_in_the_ledger(tmp_path):
    path = str(tmp_path / "ledger")
    first = exotel("--ledger", path)
    for at in (0, 10, 70, 71, 72, 129, 131):
        ask(first, NUMBERS[0], at=at)
    totals = first.desk.ledger.tally.as_json()
    first.desk.ledger.close()
    assert totals["accounts"]["exodemo1"]["max_requests_in_60s"] == 4
    assert exotel("--ledger", path).desk.ledger.tally.as_json() == totals


def test_outcomes_hang_on_seed_and_number_and_not_on_order():
    play = scenario.BUILT_IN["mixed"]
    first, again, other = Fates(play, 7), Fates(play, 7), Fates(play, 8)
    forward = {number: first.outcome(number) for number in NUMBERS}
    assert {number: again.outcome(number) for number in reversed(NUMBERS)} == forward
    assert {number: other.outcome(number) for number in NUMBERS} != forward


def test_outcomes_come_in_their_shares():
    counts = Counter(Fates(scenario.BUILT_IN["mixed"], 3).outcome(number) for number in NUMBERS)
    assert set(counts) == set(scenario.BUILT_IN["mixed"].outcomes)
    for code, weight in scenario.BUILT_IN["mixed"].outcomes.items():
        assert counts[code] / len(NUMBERS) == pytest.approx(weight / 100, abs=0.03)


def test_a_number_named_in_the_scenario_has_its_own_outcome():
    play = scenario.changed(scenario.Scenario(), {"numbers": {"+919812345678": "23050"}})
    assert [Fates(play, 1).outcome(number) for number in ("9812345678", "9812345679")] == ["23050", "20005"]


def test_the_same_seed_gives_the_same_run_whatever_the_batches():
    ledgers = []
    for size in (10, 25):
        provider = exotel("--scenario", "mixed", "--seed", "5")
        for start in range(0, 100, size):
            ask(provider, *NUMBERS[start : start + size])
        rows = provider.desk.ledger.page("message", 0, 1000)
        ledgers.append({row["number10"]: (row["code"], round(row["due_at"] - row["accepted_at"], 3)) for row in rows})
    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) == 100


def test_shares_of_lost_and_doubled_are_kept():
    play = scenario.changed(scenario.Scenario(), {"lost": 0.2, "doubled": 0.5, "delay": [1, 3]})
    fates = [Fates(play, 1).fate(number, "x") for number in NUMBERS]
    assert sum(fate.lost for fate in fates) / len(fates) == pytest.approx(0.2, abs=0.03)
    assert sum(fate.doubled for fate in fates) / len(fates) == pytest.approx(0.5, abs=0.03)
    assert all(1 <= fate.delay <= 3 and not fate.early for fate in fates)


def test_faults_strike_by_number_by_every_nth_and_by_share():
    play = scenario.changed(
        scenario.Scenario(),
        {"faults": [{"kind": "html", "at": [2, 5]}, {"kind": "throttle", "every": 5}, {"kind": "error500", "share": 0.1}]},
    )
    first, again = (
        [getattr(fates.fault(number), "kind", "") for number in range(1001)] for fates in (Fates(play, 1), Fates(play, 1))
    )
    assert (first[2], first[5], first[10]) == ("html", "html", "throttle")
    assert first.count("error500") / 800 == pytest.approx(0.1, abs=0.03)
    assert first == again


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([], "JSON object"),
        ({"delays": [0, 1]}, "delays"),
        ({"delay": [2, 1]}, "delay"),
        ({"delay": 1}, "delay"),
        ({"latency": ["a", "b"]}, "latency"),
        ({"lost": 2}, "lost"),
        ({"lost": "x"}, "lost"),
        ({"outcomes": {}}, "outcomes"),
        ({"outcomes": {"20005": 0}}, "outcomes"),
        ({"outcomes": {"sent": 1}}, "outcomes"),
        ({"outcomes": {"20005": "x"}}, "outcomes"),
        ({"outcomes": 5}, "outcomes"),
        ({"numbers": {"9812345678": "sent"}}, "numbers"),
        ({"callback_retries": -1}, "callback_retries"),
        ({"require_from": "yes"}, "require_from"),
        ({"faults": {}}, "faults"),
        ({"faults": [{"kind": "fire"}]}, "kind"),
        ({"faults": [{"kind": "html", "at": 3}]}, "at"),
        ({"faults": [{"kind": "html", "when": 3}]}, "when"),
        ({"faults": [{"kind": "html", "every": "3"}]}, "every"),
        ({"faults": [{"kind": "error", "code": 1}]}, "code"),
    ],
)
def test_a_scenario_that_cannot_be_played_is_refused_by_name(changes, words):
    with pytest.raises(ValueError, match=words):
        scenario.changed(scenario.Scenario(), changes)


def test_help_names_every_kind_of_fault():
    assert [kind for kind in KINDS if kind not in options.AFTERWORD] == []


@pytest.mark.parametrize(
    ("text", "ten"),
    [
        ("9812345670", "9812345670"),
        ("09812345670", "9812345670"),
        ("919812345670", "9812345670"),
        ("+919812345670", "9812345670"),
        ("00919812345670", "9812345670"),
        (" +91 98123-45670 ", "9812345670"),
        ("5812345670", ""),
        ("981234567", ""),
        ("98123456701", ""),
        ("+14155550123", ""),
        ("٩٨١٢٣٤٥٦٧٠", ""),
        ("", ""),
    ],
)
def test_numbers_are_read_in_every_usual_form(text, ten):
    assert sms.number10(text) == ten


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("", 1), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2),
        ("a" * 152 + "€" * 77, 3), ("अ" * 70, 1), ("अ" * 71, 2), ("अ" * 134, 2), ("अ" * 135, 3), ("😀" * 35, 1), ("😀" * 36, 2),
        ("अ" * 66 + "😀" * 34, 3), ("`", 1), ("a" * 70 + "`", 2),
    ],
)  # fmt: skip
def test_units_are_counted_as_the_standard_says(text, units):
    assert sms.units(text) == units


def test_asking_for_unicode_counts_as_unicode():
    assert (sms.units("a" * 71), sms.units("a" * 71, "unicode")) == (1, 2)


@pytest.mark.parametrize(
    ("template", "body", "fits"),
    [
        ("Dear {#var#}, pay {#var#}.", "Dear Asha, pay 5.", True),
        ("Dear {#var#}, pay {#var#}.", "Dear , pay .", True),
        ("Dear {#var#}, pay {#var#}.", "Dear Asha, paid 5.", False),
        ("Dear {#var#}, pay {#var#}.", "Dear Asha, pay 5", False),
        ("{#var#} and {#alphanumeric#}", "a and b and c", True),
        ("aba{#var#}aba", "ababa", False),
        ("No variable", "No variable", True),
        ("No variable", "No variables", False),
        ("{#var#}" + "x{#var#}" * 40, "x" * 2000, True),
        ("{#var#}" + "xy{#var#}" * 40, "x" * 2000, False),
    ],
)
def test_a_text_is_held_against_its_template(template, body, fits):
    assert sms.is_template(body, sms.fixed_parts(template)) is fits


def test_a_form_in_the_query_string_is_read_too():
    form = forms.read(False, b"", "From=A&To=%2B919812345670&Body=a+b%26c", False)
    assert (form.items, form.bare) == ([{"To": "+919812345670", "Body": "a b&c"}], True)


def test_every_error_that_the_dictionary_lists_for_requests_can_be_given():
    documented = {row.code for row in every("exotel", "sms", "request")}
    assert documented, "the dictionary has the family"
    assert {code for code in documented if code.isdigit()} - {str(code) for code in ERRORS} == set()


def test_an_undocumented_code_can_be_played():
    assert (names.name("29999"), names.word("29999")) == ("UNDOCUMENTED_29999", "failed")


def test_a_mistake_of_our_own_costs_one_answer_and_no_more():
    async def handle(request):
        if request.path == "/bad":
            raise KeyError("ours")
        return plain(200, "good")

    async def fetch(port, path):
        try:
            answer = await asyncio.to_thread(urllib.request.urlopen, f"http://127.0.0.1:{port}{path}", timeout=5)
        except OSError as error:
            return getattr(error, "code", 0)
        return answer.status

    async def scene():
        server = Server(handle)
        port = await server.start("127.0.0.1", 0)
        statuses = [await fetch(port, path) for path in ("/bad", "/good")]
        await server.close()
        return statuses

    assert asyncio.run(scene()) == [500, 200]
