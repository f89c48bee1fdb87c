"""One transactional message now, such as a one-time password or an order's confirmation."""

from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit, bulk
from campaigns.api import serializers as shapes
from campaigns.api.campaigns import IDEMPOTENCY
from campaigns.api.fields import Key
from campaigns.api.messages import represent
from campaigns.api.problems import ProblemSerializer, problem
from campaigns.audience import single
from campaigns.audience.optional import MOST_REFERENCE
from campaigns.models import Account, Campaign, Message, Template
from campaigns.sending import control, launch
from campaigns.text.dlt import TOO_LONG_VALUE
from campaigns.text.matching import difference, values_in
from campaigns.text.render import clean, parse

LONGEST_VALUE = 2_000  # more than any message holds


class SingleInput(serializers.Serializer):
    to = serializers.CharField(max_length=40, help_text="a mobile number in any usual spelling")
    template: Any = Key(queryset=Template.objects.filter(archived=False), help_text="any but a promotional one")
    vars = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_VALUE, allow_blank=True), default=list, max_length=100,
        help_text="a value for each {#var#} of the template, in order",
    )  # fmt: skip
    body = serializers.CharField(
        max_length=LONGEST_VALUE, required=False, trim_whitespace=False,
        help_text="the finished text, in place of vars: it must be the template with something for each {#var#}",
    )  # fmt: skip
    account: Any = Key(queryset=Account.objects.all(), required=False, help_text="may be left out while there is only one")
    sender_id = serializers.RegexField(r"^[A-Za-z0-9]{3,20}$", required=False, allow_blank=True)
    reference = serializers.CharField(
        max_length=MOST_REFERENCE, required=False, allow_blank=True, help_text="your own id for it"
    )

    def validate_template(self, template: Template) -> Template:
        if template.category == Template.Category.PROMOTIONAL:
            raise serializers.ValidationError(
                "Promotional texts have their hours and are sent by campaigns, not as single messages.", "promotional"
            )
        return template

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "body" in attrs:
            attrs["vars"] = self._values(attrs["template"], attrs["vars"], attrs["body"])
        wanted, given = attrs["template"].variables, len(attrs["vars"])
        if wanted != given:
            sentence = f"The template has {wanted} variables; {given} values were given."
            raise serializers.ValidationError({"vars": ErrorDetail(sentence, "wrong_number")})
        if "account" not in attrs:
            accounts = list(Account.objects.all()[:2])
            if len(accounts) != 1:
                raise serializers.ValidationError({"account": ErrorDetail("Say which account sends it.", "required")})
            attrs["account"] = accounts[0]
        return attrs

    def _values(self, template: Template, given: list[str], body: str) -> list[str]:
        """What fills the variables in a finished text, which must come out of them to the letter."""
        if given:
            raise serializers.ValidationError({"vars": ErrorDetail("Give either body or vars.", "both")})
        parsed = parse(template.body)
        values = values_in(parsed, body, TOO_LONG_VALUE)
        if values is None:
            sentence = f"This is not the template “{template.name}”. {difference(parsed, body)} Operators would refuse it."
            raise serializers.ValidationError({"body": ErrorDetail(sentence, "not_the_template")})
        try:
            altered = [value for value in values if clean(value) != value]
        except ValueError:
            altered = []  # the check of the row says what is wrong
        if altered:
            sentence = (
                f"“{altered[0][:40]}” has spaces at an end, line breaks or signs that nobody sees, which are not sent."
            )
            raise serializers.ValidationError({"body": ErrorDetail(sentence, "altered")})
        return values


class SendOne(APIView):
    """Send one message now; with an Idempotency-Key, once however often it is asked for."""

    scopes = {"POST": "launch"}

    @extend_schema(
        operation_id="messages_create", parameters=[IDEMPOTENCY], request=SingleInput,
        responses={200: shapes.MessageSerializer, 201: shapes.MessageSerializer, 400: ProblemSerializer,
                   409: ProblemSerializer, 422: ProblemSerializer},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        given = SingleInput(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        key = launch.short_key(request.headers.get("Idempotency-Key", ""))
        if (earlier := _earlier(request, key)) is not None:
            return _again(request, earlier, values)
        try:
            with bulk.transaction():
                message = _send(request, key, values)
        except launch.Blocked as blocked:
            if blocked.over_limit:
                cost = str(blocked.report.cost)
                audit.record("message.over_limit", f"template:{values['template'].pk}", request=request, cost=cost)
            raise
        except single.Refused as refused:
            field = "to" if refused.value is None else f"vars.{refused.value}"
            return problem(422, refused.code.lower(), str(refused), field)
        except IntegrityError:  # the same key, at the same moment
            if (earlier := _earlier(request, key)) is None:
                raise
            return _again(request, earlier, values)
        return Response(shapes.MessageSerializer(represent(message, request)).data, status=201)


def _send(request: Request, key: str, values: dict[str, Any]) -> Message:
    template, user = values["template"], request.user
    campaign = Campaign.objects.create(
        name=f"One message: {template.name}"[:120], account=values["account"], template=template, single=True,
        sender_id=values.get("sender_id", ""), launch_key=key, created_by=user if isinstance(user, User) else None,
    )  # fmt: skip
    single.add_one(campaign, values["to"], values["vars"], values.get("reference", ""))
    launch.launch(campaign, user, accept_warnings=True, key=key)
    launch.write_messages(campaign.pk)
    message = Message.objects.get(campaign=campaign)
    audit.record("message.send", message, request=request, campaign=campaign.pk)
    return message


def _earlier(request: Request, key: str) -> Campaign | None:
    return Campaign.objects.filter(single=True, created_by=request.user.pk, launch_key=key).first() if key else None


def _again(request: Request, campaign: Campaign, values: dict[str, Any]) -> Response:
    """The message that a key has sent; a key that is used for another message is a mistake of the caller."""
    same = campaign.template_id == values["template"].pk and campaign.account_id == values["account"].pk
    reference = [values["reference"]] if values.get("reference") else []
    if not same or single.added(campaign) != [values["to"], *values["vars"], *reference]:
        raise control.Refused("key_used", "This Idempotency-Key was used for another message. Nothing was sent.")
    message = Message.objects.filter(campaign=campaign).earliest("pk")
    return Response(shapes.MessageSerializer(represent(message, request)).data)
