"""A wrong file is taken out of its draft again, with all that it brought and nothing else."""

import io

import pytest
from django.urls import reverse

from campaigns import audience
from campaigns.audience.storing import whole_path
from campaigns.models import Import, Recipient, RowError
from campaigns.models.states import CampaignState, ImportState
from tests import builders

pytestmark = pytest.mark.django_db(transaction=True)


def read(campaign, first, rows=5):
    lines = "".join(f"98{first + i:08d},Person {i},{i}.50\n" for i in range(rows))
    source = audience.receive(campaign, io.BytesIO(f"mobile,name,amount\n{lines}12,Nobody,1\n".encode()), "people.csv", None)
    audience.start(source, {"phone": "mobile", "vars": ["name", "amount"]})
    assert audience.run(source.pk)
    source.refresh_from_db()
    return source


def test_one_file_goes_with_its_rows_and_the_other_stays():
    campaign = builders.campaign()
    wrong, right = read(campaign, 0), read(campaign, 100)
    audience.discard(wrong)
    assert list(Import.objects.values_list("pk", flat=True)) == [right.pk]
    assert set(Recipient.objects.values_list("source", flat=True)) == {right.pk}
    assert set(RowError.objects.values_list("source", flat=True)) == {right.pk}
    assert whole_path(right.path).exists() and not whole_path(wrong.path).exists()


def test_a_file_taken_out_can_be_uploaded_again():
    campaign = builders.campaign()
    audience.discard(read(campaign, 0))
    assert read(campaign, 0).accepted == 5


@pytest.mark.parametrize("state", [ImportState.QUEUED, ImportState.RUNNING])
def test_a_file_that_is_being_read_stays(state):
    source = read(builders.campaign(), 0)
    Import.objects.update(state=state)
    with pytest.raises(audience.Unusable, match="being read"):
        audience.discard(source)
    assert Recipient.objects.count() == 5


@pytest.mark.parametrize("state", [CampaignState.RUNNING, CampaignState.SCHEDULED, CampaignState.FINISHED])
def test_a_file_of_a_launched_campaign_stays(state):
    campaign = builders.campaign()
    source = read(campaign, 0)
    type(campaign).objects.update(state=state)
    with pytest.raises(audience.Unusable, match="launched already"):
        audience.discard(source)
    assert Recipient.objects.count() == 5


def test_an_operator_removes_a_file_on_the_page_of_the_columns(admin_client):
    campaign = builders.campaign()
    wrong, right = read(campaign, 0), read(campaign, 100)
    page = admin_client.get(reverse("admin:draft_columns", args=[campaign.pk])).content.decode()
    assert page.count("Remove") == 2
    url = reverse("admin:draft_remove_file", args=[campaign.pk]) + f"?file={wrong.pk}"
    answer = admin_client.post(url, follow=True)
    assert "people.csv was removed, with all its rows." in answer.content.decode()
    assert list(Import.objects.values_list("pk", flat=True)) == [right.pk]


def test_looking_at_the_address_removes_nothing(admin_client):
    campaign = builders.campaign()
    read(campaign, 0)
    admin_client.get(reverse("admin:draft_remove_file", args=[campaign.pk]))
    assert Import.objects.count() == 1


def test_a_file_whose_columns_were_refused_leaves_nothing_in_the_store():
    campaign = builders.campaign()
    source = audience.receive(campaign, io.BytesIO(b"mobile,name\n9812345670,Asha\n"), "people.csv", None)
    path = whole_path(source.path)
    with pytest.raises(audience.Unusable):
        audience.start(source, {"phone": "mobile", "vars": ["nowhere"]})
    audience.discard(source)
    assert not path.exists()
