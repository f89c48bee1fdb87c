"""Templates from a DLT portal's export: new ones added, known ones brought up to date, the rest named."""

import io

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from campaigns.audience import template_export
from campaigns.audience.faults import Unusable
from campaigns.models import AuditEvent, Template
from campaigns.roles import create_roles
from tests import builders

pytestmark = pytest.mark.django_db
ID, ENTITY = "1507000000000000009", builders.ENTITY
DEFAULTS = template_export.Defaults(dlt_entity_id=ENTITY, header="ACMEIN")
PORTALS = {
    "named in words": "Template Name,Template ID,Template Type,Header,Template Content,Status\n"
                      f"Dues,{ID},Service Implicit,ACMEIN,Pay {{#var#}} by {{#var#}}. -ACME,Approved\n",
    "with more columns": "S.No,Entity ID,TEMPLATE ID,TEMPLATE NAME,MESSAGE CONTENT,HEADERS,CATEGORY,Created\n"
                         f"1,{ENTITY},{ID},Dues,Pay {{#var#}} by {{#var#}}. -ACME,\"VM-ACMEIN,ACMEBK\",Service-Implicit,x\n",
    "with semicolons and apostrophes": f"Template_Id;Content;Template_Name\n'{ID};Pay {{#var#}} by {{#var#}}. -ACME;Dues\n",
}  # fmt: skip


def take(text, defaults=DEFAULTS):
    return template_export.take(io.BytesIO(text.encode()), "export.csv", defaults, None)


@pytest.mark.parametrize("text", PORTALS.values(), ids=PORTALS)
def test_the_columns_of_each_portal_are_found(text):
    assert take(text).added == ["Dues"]
    template = Template.objects.get()
    assert (template.dlt_template_id, template.dlt_entity_id, template.header) == (ID, ENTITY, "ACMEIN")
    assert (template.body, template.category) == ("Pay {#var#} by {#var#}. -ACME", "service_implicit")


@pytest.mark.parametrize(
    ("column", "word", "field", "value"),
    [
        ("Category", "Promotional", "category", "promotional"),
        ("Category", "SERVICE EXPLICIT", "category", "service_explicit"),
        ("Category", "Service Inferred", "category", "service_implicit"),
        ("Category", "Transactional", "category", "transactional"),
        ("Category", "", "category", "service_implicit"),
        ("Status", "APPROVED", "status", "approved"),
        ("Status", "Active", "status", "approved"),
        ("Status", "In-active", "status", "inactive"),
        ("Status", "Blacklisted", "status", "inactive"),
        ("Status", "Pending for approval", "status", "pending"),
        ("Status", "Rejected", "status", "rejected"),
        ("Status", "", "status", "approved"),
    ],
)
def test_words_of_the_portals_are_understood(column, word, field, value):
    header = "123456" if value == "promotional" else "ACMEIN"
    taken = take(f"Template ID,Content,{column},Header\n{ID},Pay now. -ACME,{word},{header}\n")
    assert taken.faults == []
    assert getattr(Template.objects.get(), field) == value


def test_a_known_template_is_brought_up_to_date_and_keeps_its_name():
    take(f"Template ID,Content,Template Name\n{ID},Pay {{#var#}}. -ACME,Dues\n")
    Template.objects.update(name="Our dues")
    assert take(f"Template ID,Content,Template Name\n{ID},Pay {{#var#}}. -ACME,Dues\n").same == 1
    taken = take(f"Template ID,Content,Template Name,Status\n{ID},Pay Rs {{#var#}}. -ACME,Dues,Rejected\n")
    assert (taken.added, taken.changed) == ([], ["Our dues"])
    template = Template.objects.get()
    assert (template.name, template.body, template.version, template.status) == (
        "Our dues", "Pay Rs {#var#}. -ACME", 2, "rejected",
    )  # fmt: skip


def test_a_name_that_is_taken_gets_the_end_of_the_id():
    builders.template(name="Dues")
    assert take(f"Template ID,Content,Template Name\n{ID},Pay now. -ACME,Dues\n").added == ["Dues 000009"]


def test_rows_that_cannot_be_templates_are_named_and_spoil_no_other():
    taken = take(
        "Template ID,Content,Category,Status,Header\n"
        "abc,Pay now. -ACME,,,\n"
        f"{ID},Pay {{#war#}}. -ACME,,,\n"
        "1507000000000000010,,,,\n"
        "1507000000000000011,Pay now. -ACME,Festive,,\n"
        "1507000000000000012,Pay now. -ACME,,Lost,\n"
        "1507000000000000013,Pay now. -ACME,Promotional,,ACMEIN\n"
        "\n"
        "1507000000000000014,Pay now. -ACME,,,\n"
    )
    assert (len(taken.added), taken.refused) == (1, 6)
    assert [line for line, _ in taken.faults] == [2, 3, 4, 5, 6, 7]
    words = ["digits only", "#war#", "blank", "category “Festive”", "status “Lost”", "six digits"]
    assert [word in sentence for (_, sentence), word in zip(taken.faults, words, strict=True)] == [True] * 6, taken.faults


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "EMPTY"), ("mobile,name\n98,A\n", "NO_TEMPLATES"), ("Template ID\n1\n", "NO_TEMPLATES"),
     ("Template ID,Content\n", "NO_ROWS"), ('Template ID,Content\n1,"x', "QUOTES")],
)  # fmt: skip
def test_a_file_that_is_no_export_takes_nothing(text, code):
    with pytest.raises(Unusable) as unusable:
        take(text)
    assert unusable.value.code == code
    assert not Template.objects.exists()


def test_an_export_is_taken_on_the_console():
    create_roles()
    user = User.objects.create(username="asha")
    user.groups.set([Group.objects.get(name="Editor")])
    client, page = Client(), reverse("admin:campaigns_template_import")
    client.force_login(user)
    assert b"Take these templates" in client.get(page).content
    text = f"Template ID,Content,Template Name\n{ID},Pay now. -ACME,Dues\nabc,x,y\n"
    form = {"file": SimpleUploadedFile("e.csv", text.encode()), "dlt_entity_id": ENTITY, "header": "ACMEIN",
            "category": "service_implicit"}  # fmt: skip
    answer = client.post(page, form).content.decode()
    assert "1 added" in answer and "digits only" in answer
    assert Template.objects.get().created_by == user
    assert AuditEvent.objects.get(action="template.import").details == {"added": 1, "changed": 0, "refused": 1}
    bad = client.post(page, form | {"file": SimpleUploadedFile("e.csv", b"a,b\n1,2\n")})
    assert bad.status_code == 422 and "no column named Template ID" in bad.content.decode()
    user.groups.set([Group.objects.get(name="Viewer")])
    assert client.get(page).status_code == 403
