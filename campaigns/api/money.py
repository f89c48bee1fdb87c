"""What an account has left, and what people may spend."""

from typing import Any

from django.contrib.auth.models import User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns import audit
from campaigns.api.parsing import identifier
from campaigns.api.problems import ProblemSerializer
from campaigns.models import Account
from campaigns.sending import balance, spending

PROBLEM = ProblemSerializer


def rupees(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(12, 2, allow_null=True, **options)


class BalanceInput(serializers.Serializer):
    balance = rupees(help_text="rupees, as Exotel's own page shows them now; null when it is not known")


class BalanceSerializer(serializers.Serializer):
    """``left`` is what was told, less what was sent since and what launched campaigns will still cost."""

    balance = serializers.DecimalField(12, 2, allow_null=True, source="told")
    at = serializers.DateTimeField(allow_null=True, help_text="when it was told")
    sent = serializers.DecimalField(14, 4, allow_null=True)
    waiting = serializers.DecimalField(14, 4, allow_null=True)
    left = serializers.DecimalField(14, 4, allow_null=True)


UNKNOWN = dict.fromkeys(("told", "at", "sent", "waiting", "left"))


class AccountBalance(APIView):
    scopes = {"GET": "read", "PUT": "admin"}

    @extend_schema(operation_id="accounts_balance", responses={200: BalanceSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        return _balance(get_object_or_404(Account, pk=identifier(pk)))

    @extend_schema(
        operation_id="accounts_tell_balance", request=BalanceInput,
        responses={200: BalanceSerializer, 400: PROBLEM, 404: PROBLEM},
    )  # fmt: skip
    def put(self, request: Request, pk: int) -> Response:
        account = get_object_or_404(Account, pk=identifier(pk))
        given = BalanceInput(data=request.data)
        given.is_valid(raise_exception=True)
        amount = given.validated_data["balance"]
        balance.tell(account, amount)
        audit.record("account.balance", account, request=request, balance=None if amount is None else str(amount))
        return _balance(account)


def _balance(account: Account) -> Response:
    return Response(BalanceSerializer(balance.standing(account) or UNKNOWN).data)


class LimitInput(serializers.Serializer):
    per_campaign = rupees(min_value=0, default=None, help_text="rupees; null for any amount")
    per_month = rupees(min_value=0, default=None, help_text="rupees a calendar month; null for any amount")


class LimitSerializer(serializers.Serializer):
    user = serializers.IntegerField()
    username = serializers.CharField()
    per_campaign = serializers.DecimalField(12, 2, allow_null=True)
    per_month = serializers.DecimalField(12, 2, allow_null=True)
    month = serializers.DateField(help_text="the first day of the present month")
    spent = serializers.DecimalField(16, 4, help_text="committed by launches for this month")


class SpendLimits(APIView):
    """Everybody who may launch, or has a limit; whoever has none may spend any amount."""

    scopes = {"GET": "admin"}

    @extend_schema(operation_id="spend_limits_list", responses={200: LimitSerializer(many=True)})
    def get(self, request: Request) -> Response:
        return Response(LimitSerializer(spending.everybody(), many=True).data)


class OwnSpendLimit(APIView):
    """Of the person whose token it is."""

    scopes = {"GET": "read"}

    @extend_schema(operation_id="spend_limits_own", responses={200: LimitSerializer})
    def get(self, request: Request) -> Response:
        return Response(LimitSerializer(spending.overview(get_object_or_404(User, pk=request.user.pk))).data)


class SpendLimitDetail(APIView):
    scopes = {"GET": "admin", "PUT": "admin"}

    @extend_schema(operation_id="spend_limits_retrieve", responses={200: LimitSerializer, 404: PROBLEM})
    def get(self, request: Request, pk: int) -> Response:
        return Response(LimitSerializer(spending.overview(get_object_or_404(User, pk=identifier(pk)))).data)

    @extend_schema(
        operation_id="spend_limits_set", request=LimitInput,
        responses={200: LimitSerializer, 400: PROBLEM, 404: PROBLEM},
    )  # fmt: skip
    def put(self, request: Request, pk: int) -> Response:
        user = get_object_or_404(User, pk=identifier(pk))
        given = LimitInput(data=request.data)
        given.is_valid(raise_exception=True)
        if not spending.may_set(request.user, user):
            raise PermissionDenied("Nobody sets their own limit: ask another administrator.", "own_limit")
        values = given.validated_data
        if spending.set_limit(user, **values):
            audit.record("user.spend_limit", user, request=request, limits=spending.for_audit(**values))
        return Response(LimitSerializer(spending.overview(user)).data)
