"""Saved audiences: grown by files, whatever interrupts it; counted by conditions; given to campaigns as they were then."""

import io
import random
from functools import partial
from pathlib import Path

import pytest
import xlsxwriter

from campaigns import audience as files
from campaigns import leases
from campaigns.audience import counting, growing, members, saved, storing, upkeep
from campaigns.audience.refused import refused_csv
from campaigns.models import (
    Audience,
    AudienceFile,
    AudienceMember,
    AudienceRowError,
    Import,
    Recipient,
    Segment,
    SegmentCount,
    Suppression,
)
from campaigns.models.saved import waiting
from campaigns.sending import recover
from tests import builders
from tests.dying import Killed, dying, run_apart

pytestmark = pytest.mark.django_db
HEADER = "mobile,name,amount\n"
GOOD = "9812345670,Asha,10\n9812345671,Ravi,20\n"
MAPPING = {"phone": "mobile", "vars": ["name", "amount"]}
COUNTS = ("state", "rows", "added", "updated", "refused")


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def people():
    return Audience.objects.create(name="Customers")


def rule(column, op, value=""):
    return {"match": "all", "rules": [{"column": column, "op": op, "value": value}]}


def received(audience, content, name="people.csv", **more):
    return growing.receive(
        audience, io.BytesIO(content if isinstance(content, bytes) else content.encode()), name, None, **more
    )


def work(audience):
    for _ in range(10_000):
        if upkeep.run(audience.pk):
            break
    if Audience.objects.filter(pk=audience.pk).exists():
        audience.refresh_from_db()


def grown(audience, *contents):
    """The files, read."""
    made = [received(audience, content) for content in contents]
    work(audience)
    for file in made:
        file.refresh_from_db()
    return made[0] if len(made) == 1 else made


def everyone(audience):
    rows = AudienceMember.objects.filter(audience=audience).order_by("number").values_list("number", "cells", "line")
    return [(number, cells, line) for number, cells, line in rows]


def told(file):
    return tuple(getattr(file, name) for name in COUNTS)


def refused(file):
    return list(AudienceRowError.objects.filter(file=file).order_by("line").values_list("line", "code", "message", "cells"))


def proven(audience):
    """What is kept by deltas is what there is."""
    assert audience.size == AudienceMember.objects.filter(audience=audience).count()
    assert all(len(cells) <= len(audience.columns) for _, cells, _ in everyone(audience))


# Growing -------------------------------------------------------------------------------------------------------------


def test_the_first_file_gives_the_columns_and_the_people(people, folder):
    file = grown(people, HEADER + GOOD + "98123,x,1\n,y,2\n9812345673\n98123 45671,Ravi R,30\n\n,,\n")
    assert told(file) == ("done", 6, 2, 1, 3)
    assert (people.columns, people.phone, people.size) == (["mobile", "name", "amount"], "mobile", 2)
    assert everyone(people) == [
        (919812345670, ["9812345670", "Asha", "10"], 2), (919812345671, ["98123 45671", "Ravi R", "30"], 7),
    ]  # fmt: skip
    assert [row[:2] for row in refused(file)] == [(4, "INVALID_PHONE"), (5, "MISSING_REQUIRED"), (6, "INVALID_FORMAT")]
    text = "".join(refused_csv(file.header, file.row_errors.all(), True, file.phone))
    assert "98123,x,1,INVALID_PHONE,mobile," in text
    proven(people)
    assert list(folder.rglob("*.csv")) == [], "a file that was read is not kept"


def test_a_later_file_updates_people_adds_columns_and_keeps_what_it_does_not_have(people):
    grown(people, HEADER + GOOD)
    file = grown(people, "Name,Phone No,city\nAsha Rao,09812345670,Pune\nMeera,9812345672,\n")
    assert told(file) == ("done", 2, 1, 1, 0)
    assert people.columns == ["mobile", "name", "amount", "city"]
    assert [cells for _, cells, _ in everyone(people)] == [
        ["09812345670", "Asha Rao", "10", "Pune"], ["9812345671", "Ravi", "20"], ["9812345672", "Meera", "", ""],
    ]  # fmt: skip
    proven(people)


def test_an_empty_cell_of_a_later_file_empties_what_was_there(people):
    grown(people, HEADER + GOOD, "mobile,name\n9812345670,\n")
    assert everyone(people)[0][1] == ["9812345670", "", "10"]


def test_files_are_read_in_the_order_they_came(people):
    grown(people, *(f"{HEADER}9812345670,{name},1\n" for name in ("first", "second", "third")))
    assert [cells[1] for _, cells, _ in everyone(people)] == ["third"]


def workbook():
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for i, row in enumerate([["mobile", "name", "amount"], [9812345670, "Asha", 10], [9812345671, "Ravi", 20]]):
            sheet.write_row(i, 0, row)
    return out.getvalue()


@pytest.mark.parametrize(
    "content",
    [HEADER + GOOD, (HEADER + GOOD).replace(",", "\t"), (HEADER + GOOD).replace(",", ";").encode("utf-16"), workbook()],
    ids=["comma", "tab", "UTF-16", "xlsx"],
)
def test_every_kind_of_file_that_a_campaign_takes_is_taken(people, content):
    file = received(people, content)
    work(people)
    file.refresh_from_db()
    assert told(file) == ("done", 2, 2, 0, 0)
    assert [cells[1] for _, cells, _ in everyone(people)] == ["Asha", "Ravi"]


def test_rows_of_a_program_are_as_a_file(people):
    growing.receive_rows(people, [{"mobile": "9812345670", "name": "Asha"}, {"mobile": "98", "city": 5}], None)
    work(people)
    assert people.columns == ["mobile", "name", "city"]
    assert told(people.files.get()) == ("done", 2, 1, 0, 1)


def test_the_same_file_is_known_by_its_content(people):
    grown(people, HEADER + GOOD)
    with pytest.raises(files.Unusable) as raised:
        received(people, HEADER + GOOD, "renamed.csv")
    assert raised.value.code == "FILE_REPEATED" and "as people.csv" in str(raised.value)
    other = Audience.objects.create(name="Others")
    assert grown(other, HEADER + GOOD).added == 2


UNUSABLE = [
    ("", "is empty"),
    ("a,b\n", "has a header but no rows"),
    ("a,b\nx,y\n", "No column of people.csv looks like phone numbers"),
    ("mobile,mobile\n9812345670,x\n", "2 columns named"),
    ("9812345670,Asha\n", "is a row already"),
    (b"%PDF-1.4", "is a PDF"),
]


@pytest.mark.parametrize(("content", "sentence"), UNUSABLE)
def test_what_is_no_list_is_refused_with_nothing_kept(people, folder, content, sentence):
    with pytest.raises(files.Unusable) as raised:
        received(people, content)
    assert sentence in str(raised.value)
    assert not AudienceFile.objects.exists() and list(folder.rglob("*.csv")) == []


def test_the_phone_column_may_be_named(people):
    grown(people, HEADER + GOOD)
    with pytest.raises(files.Unusable, match="no column “tel”"):
        received(people, HEADER + GOOD + "9812345672,x,1\n", phone="tel")
    file = received(people, "name,first,second\nMeera,9812345672,9812345673\n", phone="second")
    work(people)
    assert AudienceMember.objects.filter(audience=people, file=file).get().number == 919812345673
    assert people.columns == ["mobile", "name", "amount", "first"]


def test_a_file_that_breaks_off_changes_nobody(people, monkeypatch, folder):
    in_chunks_of(monkeypatch, 1)
    grown(people, HEADER + GOOD)
    before, version = everyone(people), people.version
    lines = "9812345670,Changed,Pune\n" * 30
    file = grown(people, f'mobile,name,city\n{lines}9812345672,"open,Goa\n')
    assert (file.state, file.added) == ("failed", 0)
    assert "Line 32" in file.problem
    assert (everyone(people), people.columns, people.version) == (before, ["mobile", "name", "amount"], version)
    assert list(folder.rglob("*.csv")) == [] and not waiting()
    assert grown(people, HEADER + "9812345670,Again,1\n").updated == 1


def test_a_file_that_was_lost_is_said_to_be(people):
    file = received(people, HEADER + GOOD)
    storing.whole_path(file.path).unlink()
    work(people)
    file.refresh_from_db()
    assert file.state == "failed" and "Upload it again" in file.problem


def test_cells_come_through_as_they_are(people):
    cells = ["=1+1", "'x", 'a "quoted" one', "a, b", "back\\slash", '", "', "नमस्ते", "two\nlines", " x ", "[]"]
    header = ",".join(f"c{i}" for i in range(len(cells)))
    row = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    grown(people, f"mobile,{header}\n9812345670,{row}\n")
    assert everyone(people)[0][1][1:] == cells
    assert next(counting.members(people.pk))[0][1][1:] == cells
    campaign = builders.campaign(template=builders.template(body="Dear {#var#} -ACME"))
    source = taken(campaign, people, mapping={"phone": "mobile", "vars": ["c6"]})
    assert list(Recipient.objects.filter(source=source).values_list("cells", flat=True)) == [["9812345670", *cells]]


# Interrupted ---------------------------------------------------------------------------------------------------------


def in_chunks_of(monkeypatch, size):
    monkeypatch.setattr(growing, "check", partial(members.check, limit=size))
    monkeypatch.setattr(counting, "CHUNK", size)


def mixed(first):
    chance = random.Random(first)
    rows = []
    for i in range(120):
        number = f"98{chance.randrange(60) + first:08d}" if chance.random() < 0.8 else "98"
        rows.append(f"{number},Person {first} {i},{chance.randrange(100)}" + (",extra" if chance.random() < 0.1 else ""))
    return HEADER + "\n".join(rows) + "\n"


def outcome(audience):
    audience.refresh_from_db()
    return (
        everyone(audience),
        [told(file) for file in audience.files.order_by("pk")],
        [refused(f) for f in audience.files.order_by("pk")],
    )


@pytest.mark.parametrize("size", [1, 7, 50])
@pytest.mark.parametrize("where", ["before the chunk", "inside its transaction", "after the chunk"])
def test_growing_that_is_killed_goes_on_with_the_same_result(people, monkeypatch, where, size):
    undisturbed = Audience.objects.create(name="Undisturbed")
    grown(undisturbed, mixed(0), mixed(30))
    made, chance = [received(people, mixed(0)), received(people, mixed(30))], random.Random(size)
    write, count = growing.write, growing._count

    in_chunks_of(monkeypatch, size)
    if where == "inside its transaction":
        monkeypatch.setattr(growing, "_count", dying(count, chance, before=True))
    else:
        monkeypatch.setattr(growing, "write", dying(write, chance, before=where == "before the chunk"))
    for _ in range(1_000):
        try:
            if upkeep.run(people.pk):
                break
        except Killed:
            pass
    assert outcome(people) == outcome(undisturbed)
    assert len(made) == 2 and not waiting()
    proven(people)


def test_a_turn_that_ends_hands_over_and_each_turn_gets_on(people, monkeypatch, settings):
    in_chunks_of(monkeypatch, 10)
    settings.TASK_BUDGET = 0.0001
    file = received(people, mixed(0))
    turns = 0
    while not upkeep.run(people.pk):
        turns += 1
        assert turns < 1_000
    file.refresh_from_db()
    assert (file.state, file.rows) == ("done", 120) and turns > 3


def test_one_process_at_a_time_reads_and_a_stale_one_writes_nothing(people, monkeypatch):
    file = received(people, HEADER + GOOD)
    leases.take(f"audience:{people.pk}", builders.owner().pk)
    assert upkeep.run(people.pk) and file.rows == 0
    leases.give_back(f"audience:{people.pk}", leases.Lease.objects.get().owner)
    stale = AudienceFile.objects.get(pk=file.pk)
    work(people)
    stale.state, stale.places = "running", [0, 1, 2]
    assert growing.write(stale, members.Batch(kept={919899999999: (2, ["9899999999", "x", "1"])}, good=1), 1) is False
    assert people.size == 2
    proven(people)


def test_recovery_rings_for_whatever_waits(people):
    received(people, HEADER + GOOD)
    assert waiting() == {people.pk} and recover.ring() == 1
    work(people)
    assert not waiting() and recover.ring() == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["audience.before:kill:2", "audience.committed:kill:2"])
def test_a_process_that_is_killed_leaves_no_halves(people, folder, point):
    undisturbed = Audience.objects.create(name="Undisturbed")
    grown(undisturbed, mixed(0))
    received(people, mixed(0))
    killed = run_apart(
        "from functools import partial\nfrom django.conf import settings\n"
        f"settings.MEDIA_ROOT = {str(folder)!r}\nfrom campaigns.audience import growing, upkeep\n"
        f"growing.check = partial(growing.check, limit=40)\nupkeep.run({people.pk})",
        point,
    )
    assert killed.returncode == -9, killed.stderr
    assert people.files.get().rows == (40 if "before" in point else 80)
    leases.Lease.objects.all().delete()
    work(people)
    assert outcome(people) == outcome(undisturbed)
    proven(people)


# Counted -------------------------------------------------------------------------------------------------------------


def crowd(audience, count=200):
    cities = ["Pune", "pune ", "Mumbai", "मुंबई", ""]
    grown(audience, "mobile,city,amount\n" + "".join(f"98{i:08d},{cities[i % 5]},{i * 100}\n" for i in range(count)))


CHOSEN = [
    (rule("city", "equals", "PUNE"), 80),
    (rule("city", "equals", "मुंबई"), 40),
    (rule("city", "empty"), 40),
    (rule("amount", "greater", "15,000"), 49),
    ({"match": "any", "rules": [*rule("city", "starts_with", "mum")["rules"], *rule("amount", "less", 500)["rules"]]}, 44),
    ({"match": "all", "rules": [*rule("city", "contains", "UNE")["rules"], rule("amount", "less", "1000")]}, 4),
    ({}, 200),
]


@pytest.mark.parametrize(("conditions", "expected"), CHOSEN)
@pytest.mark.parametrize("portion", [7, 20_000])
def test_counts_are_of_those_for_whom_the_conditions_hold(people, monkeypatch, conditions, expected, portion):
    monkeypatch.setattr(counting, "CHUNK", portion)
    crowd(people)
    counted = counting.count(people, saved.normal(people, conditions))
    assert counted == counting.Counted(expected, 200, 200, True)
    assert counting.count(people, saved.normal(people, conditions)) == counted


def test_a_column_added_later_is_empty_for_those_before(people):
    grown(people, HEADER + GOOD, "mobile,city\n9812345671,Pune\n9812345672,Goa\n")
    assert counting.count(people, saved.normal(people, rule("city", "empty"))).found == 1
    assert counting.count(people, saved.normal(people, rule("city", "not_equals", "pune"))).found == 2


def test_a_column_may_have_any_name(people):
    grown(people, 'mobile,id,it\'s %s "quoted"\n9812345670,7,x\n'.replace('it\'s %s "quoted"', '"it\'s %s ""quoted"""'))
    assert counting.count(people, saved.normal(people, rule("id", "equals", "7"))).found == 1
    assert counting.count(people, saved.normal(people, rule('it\'s %s "quoted"', "equals", "X"))).found == 1


def test_what_cannot_be_counted_at_once_is_counted_in_the_background(people, monkeypatch):
    in_chunks_of(monkeypatch, 30)
    crowd(people)
    conditions = saved.normal(people, rule("city", "equals", "pune"))
    part = counting.count(people, conditions, seconds=0)
    assert (part.done, part.looked, part.size) == (False, 30, 200) and part.found == 12
    assert waiting() == {people.pk}
    assert counting.count(people, conditions) == part, "it is not begun again"
    work(people)
    assert counting.count(people, conditions) == counting.Counted(80, 200, 200, True)
    assert not waiting()


def test_counting_that_is_killed_goes_on(people, monkeypatch, settings):
    in_chunks_of(monkeypatch, 30)
    crowd(people)
    for value in ("pune", "mumbai"):
        saved.save_segment(Segment(audience=people, name=value, conditions=rule("city", "equals", value)))
    counting.renew(people.pk)
    settings.TASK_BUDGET = 0.0001
    turns = 0
    while not upkeep.run(people.pk):
        turns += 1
        assert turns < 1_000
    counted = counting.known(people, list(people.segments.all()))
    assert turns > 3 and [(row.found, row.looked) for row in counted] == [(40, 200), (80, 200)]


def test_counts_asked_for_in_passing_are_not_kept_for_ever(people, monkeypatch):
    monkeypatch.setattr(counting, "KEPT", 3)
    grown(people, HEADER + GOOD)
    saved.save_segment(Segment(audience=people, name="A", conditions=saved.normal(people, rule("name", "equals", "Asha"))))
    for i in range(9):
        counting.count(people, saved.normal(people, rule("amount", "equals", str(i))))
    values = [row.conditions["rules"][0]["value"] for row in SegmentCount.objects.order_by("pk")]
    assert values == ["Asha", "6", "7", "8"]


def test_audiences_whose_people_came_by_turns_are_counted_apart(people, monkeypatch):
    monkeypatch.setattr(counting, "CHUNK", 2)
    other = Audience.objects.create(name="Others")
    for i in range(4):
        grown(people, f"mobile,city\n98123456{i}0,Pune\n98123456{i}1,Goa\n98123456{i}2,Pune\n")
        grown(other, "mobile,city\n" + "".join(f"97123{i:02d}{j:03d},Pune\n" for j in range(15)))
    conditions = saved.normal(people, rule("city", "equals", "pune"))
    assert counting.count(people, conditions) == counting.Counted(8, 12, 12, True)
    assert counting.count(other, conditions) == counting.Counted(60, 60, 60, True)
    assert [len(cells) for portion in counting.members(people.pk) for _, cells in portion] == [2] * 12


def test_a_count_of_before_a_change_is_not_stored_over_the_one_begun_after_it(people, monkeypatch):
    crowd(people)
    segment = Segment(audience=people, name="Pune", conditions=saved.normal(people, rule("city", "equals", "pune")))
    saved.save_segment(segment)
    counting.renew(people.pk)
    look = counting._look

    def meanwhile(*arguments):
        look(*arguments)
        monkeypatch.setattr(counting, "_look", look)
        saved.remove(people, 919800000000)

    monkeypatch.setattr(counting, "_look", meanwhile)
    work(people)
    assert counting.known(people, [segment]) == [counting.Counted(79, 199, 199, True)]


def test_what_a_lost_file_had_changed_is_counted(people, monkeypatch):
    in_chunks_of(monkeypatch, 1)
    grown(people, HEADER + GOOD)
    segment = Segment(audience=people, name="All", conditions=saved.normal(people, rule("name", "not_empty")))
    saved.save_segment(segment)
    file = received(people, HEADER + "9812345672,x,1\n9812345673,y,1\n")
    monkeypatch.setattr(growing.Turn, "goes_on", lambda turn: False)
    growing.read(file, growing.Turn(lambda: True))
    monkeypatch.undo()
    storing.whole_path(file.path).unlink()
    work(people)
    file.refresh_from_db()
    assert (file.state, file.added) == ("failed", 1)
    assert counting.known(people, [segment]) == [counting.Counted(3, 3, 3, True)]
    proven(people)


def test_segments_are_counted_again_after_every_change(people):
    grown(people, HEADER + GOOD)
    segment = Segment(audience=people, name="Rich", conditions=saved.normal(people, rule("amount", "greater", 15)))
    saved.save_segment(segment)
    counting.count(people, saved.normal(people, rule("name", "equals", "Asha")))
    assert counting.known(people, [segment])[0].found == 1
    grown(people, HEADER + "9812345670,Asha,100\n9812345672,Meera,200\n")
    assert counting.known(people, [segment])[0] == counting.Counted(3, 3, 3, True)
    assert saved.remove(people, 919812345672) and not saved.remove(people, 919812345672)
    people.refresh_from_db()
    assert counting.known(people, [segment]) == [counting.Counted(0, 0, 2, False)]
    work(people)
    assert counting.known(people, [segment])[0] == counting.Counted(2, 2, 2, True)
    assert SegmentCount.objects.count() == 1, "what nobody asks for any more is not kept"
    proven(people)


def test_a_count_during_a_change_is_not_taken_for_a_count_after_it(people, monkeypatch):
    crowd(people)
    conditions = saved.normal(people, rule("city", "equals", "pune"))
    look = counting._look

    def meanwhile(*arguments):
        look(*arguments)
        Audience.objects.update(version=99)

    monkeypatch.setattr(counting, "_look", meanwhile)
    assert not counting.count(people, conditions).done
    assert not SegmentCount.objects.exists()


# Used ----------------------------------------------------------------------------------------------------------------


def taken(campaign, audience, conditions=None, mapping=MAPPING):
    source = saved.choose(campaign, audience, saved.normal(audience, conditions), None)
    files.start(source, mapping)
    return read(source)


def read(source):
    while not files.run(source.pk):
        pass
    source.refresh_from_db()
    return source


def test_a_campaign_gets_the_people_through_all_its_checks(people):
    grown(people, HEADER + GOOD + "9812345672,,30\n9812345673,Meera,40\n9812345674,Zoya,50\n")
    Suppression.objects.create(number=919812345673)
    campaign = builders.campaign(numbers=[919812345674])
    source = taken(campaign, people)
    assert (source.state, source.rows, source.accepted, source.suppressed) == ("done", 5, 2, 1)
    assert source.errors == {"MISSING_REQUIRED": 1, "DUPLICATE_ENTRY": 1}
    assert source.filename == "Audience Customers" and source.audience == people
    assert list(source.recipients.order_by("id").values_list("number", flat=True)) == [919812345670, 919812345671]


def test_a_segment_gives_its_members_alone(people):
    crowd(people)
    template = builders.template(body="Dear {#var#} -ACME")
    campaign = builders.campaign(template=template)
    source = taken(campaign, people, rule("city", "equals", "pune"), {"phone": "mobile", "vars": ["amount"]})
    assert (source.rows, source.accepted) == (80, 80)
    assert source.filename == "Audience Customers, city is “pune”"
    assert len(source.sample) == 20 and {row[1].strip().lower() for row in source.sample} == {"pune"}
    assert source.sha256


def test_what_the_audience_becomes_later_changes_no_campaign(people):
    grown(people, HEADER + GOOD)
    campaign = builders.campaign()
    source = taken(campaign, people)
    grown(people, "mobile,name,amount,city\n9812345670,Changed,1,Pune\n9812345679,New,2,Goa\n")
    before = list(source.recipients.values_list("number", "cells"))
    files.restart(source)
    assert list(read(source).recipients.values_list("number", "cells")) == before
    assert source.header == ["mobile", "name", "amount"]
    saved.delete(people)
    work(people)
    files.restart(Import.objects.get(pk=source.pk))
    assert read(source).accepted == 2


def test_it_is_never_taken_with_half_of_a_file(people, monkeypatch):
    grown(people, HEADER + GOOD)
    source = saved.choose(builders.campaign(), people, {}, None)
    files.start(source, MAPPING)
    later = received(people, HEADER + "9812345675,Late,1\n")
    work(people)
    later.refresh_from_db()
    assert later.state == "queued", "the campaign was promised the people of before"
    assert read(source).accepted == 2
    work(people)
    assert people.size == 3
    running = received(people, HEADER + "9812345676,Later,1\n")
    AudienceFile.objects.filter(pk=running.pk).update(state="running", places=[0, 1, 2])
    second = Import.objects.create(
        campaign=builders.campaign(), filename="x", header=people.columns, audience=people, conditions={}, mapping=MAPPING
    )
    files.start(second, MAPPING)
    assert files.run(second.pk)
    second.refresh_from_db()
    assert second.state == "queued", "it waits for the end of the file"
    work(people)
    assert read(second).accepted == 4


def test_who_cannot_be_chosen_is_told_why(people):
    campaign = builders.campaign()
    refusals = []

    def tried(conditions=None):
        with pytest.raises(files.Unusable) as raised:
            saved.choose(campaign, people, saved.normal(people, conditions), None)
        refusals.append(raised.value.code)

    tried()
    file = received(people, HEADER + GOOD)
    tried()
    work(people)
    tried(rule("name", "equals", "nobody"))
    Audience.objects.update(archived=True)
    people.refresh_from_db()
    tried()
    with pytest.raises(files.Unusable, match="out of the archive"):
        received(people, HEADER + "9812345679,x,1\n")
    assert refusals == ["EMPTY", "BEING_READ", "NOBODY", "ARCHIVED"]
    assert not campaign.imports.exists() and file.pk


def test_an_audience_that_is_gone_fails_what_waited_for_it(people):
    grown(people, HEADER + GOOD)
    source = saved.choose(builders.campaign(), people, {}, None)
    saved.delete(people)
    work(people)
    source.refresh_from_db()
    files.start(source, MAPPING)
    assert read(source).state == "failed" and "was deleted" in source.problem


def test_one_audience_serves_many_campaigns_and_one_campaign_many_audiences(people):
    grown(people, HEADER + GOOD)
    other = Audience.objects.create(name="Others")
    grown(other, HEADER + "9812345671,Ravi,1\n9812345672,Meera,1\n")
    first, second = builders.campaign(), builders.campaign()
    assert [taken(first, people).accepted, taken(second, people).accepted, taken(second, other).accepted] == [2, 2, 1]


def test_a_file_of_a_campaign_becomes_an_audience(people):
    campaign = builders.campaign()
    source = files.receive(campaign, io.BytesIO((HEADER + GOOD + "98,x,1\n").encode()), "people.csv", None)
    files.start(source, MAPPING)
    read(source)
    growing.receive_import(people, source, None)
    work(people)
    assert (people.size, people.phone) == (2, "mobile")
    assert storing.whole_path(source.path).exists()
    with pytest.raises(files.Unusable, match="not kept any more"):
        growing.receive_import(people, builders.campaign(recipients=1).imports.get(), None)


# Deleted -------------------------------------------------------------------------------------------------------------


def test_an_audience_is_removed_in_slices_and_nothing_of_another(people, monkeypatch, settings, folder):
    monkeypatch.setattr(upkeep, "SLICE", 7)
    other = Audience.objects.create(name="Others")
    for audience in (people, other):
        grown(audience, mixed(0))
        saved.save_segment(Segment(audience=audience, name="All", conditions=rule("name", "not_empty")))
    received(people, mixed(1))
    source = taken(builders.campaign(), other)
    saved.delete(people)
    Audience.objects.create(name="Customers")
    settings.TASK_BUDGET = 0.0001
    turns = 0
    while not upkeep.run(people.pk):
        turns += 1
        assert turns < 1_000
    assert turns > 3
    assert not Audience.objects.filter(pk=people.pk).exists() and upkeep.run(people.pk)
    assert set(AudienceMember.objects.values_list("audience", flat=True)) == {other.pk}
    assert set(AudienceRowError.objects.values_list("file__audience", flat=True)) == {other.pk}
    assert Segment.objects.count() == SegmentCount.objects.count() == 1
    assert [path.name for path in folder.rglob("*.csv")] == [Path(source.path).name]


def test_an_audience_is_not_deleted_under_a_campaign_that_takes_it(people):
    grown(people, HEADER + GOOD)
    source = saved.choose(builders.campaign(), people, {}, None)
    files.start(source, MAPPING)
    with pytest.raises(files.Unusable, match="just now"):
        saved.delete(people)
    read(source)
    saved.delete(people)
    assert Audience.objects.get().deleting
