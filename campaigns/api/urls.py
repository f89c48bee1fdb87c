from typing import Any

from django.urls import path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from campaigns.api import (
    alert_rules,
    alerts,
    audience,
    campaigns,
    messages,
    reference,
    resend,
    schema,  # noqa: F401  it registers itself
    single,
    suppressions,
    webhooks,
)

open_to_all: dict[str, list[Any]] = {"permission_classes": [], "authentication_classes": []}

urlpatterns = [
    path("accounts/", reference.Accounts.as_view()),
    path("accounts/<int:pk>/resume/", reference.AccountResume.as_view()),
    path("templates/", reference.Templates.as_view()),
    path("codes/", reference.Codes.as_view()),
    path("stats/", reference.Stats.as_view()),
    path("campaigns/", campaigns.Campaigns.as_view()),
    path("campaigns/<int:pk>/", campaigns.CampaignDetail.as_view()),
    path("campaigns/<int:pk>/recipients/", campaigns.Recipients.as_view()),
    path("campaigns/<int:pk>/preflight/", campaigns.Preflight.as_view()),
    path("campaigns/<int:pk>/launch/", campaigns.Launch.as_view()),
    path("campaigns/<int:pk>/retry-failed/", campaigns.RetryFailed.as_view()),
    *(path(f"campaigns/<int:pk>/{verb}/", campaigns.Steer.as_view(verb=verb)) for verb in campaigns.Steer.actions),
    path("campaigns/<int:pk>/messages/", messages.Messages.as_view()),
    path("campaigns/<int:pk>/resend-unconfirmed/", resend.ResendUnconfirmed.as_view()),
    path("campaigns/<int:pk>/clicks/", campaigns.CampaignClicks.as_view()),
    path("campaigns/<int:pk>/report/", campaigns.Report.as_view()),
    path("campaigns/<int:pk>/report.csv", campaigns.ReportFile.as_view()),
    path("imports/<int:pk>/", audience.ImportDetail.as_view()),
    path("imports/<int:pk>/restart/", audience.ImportRestart.as_view()),
    path("imports/<int:pk>/errors.csv", audience.ImportErrors.as_view()),
    path("alerts/", alerts.Alerts.as_view()),
    path("alerts/<int:pk>/acknowledge/", alerts.Acknowledge.as_view()),
    path("messages/", single.SendOne.as_view()),
    path("alert-rules/", alert_rules.AlertRules.as_view()),
    path("alert-rules/<int:pk>/", alert_rules.AlertRuleDetail.as_view()),
    path("messages/<int:pk>/", messages.MessageDetail.as_view()),
    path("suppressions/", suppressions.Suppressions.as_view()),
    path("suppressions/import/", suppressions.SuppressionList.as_view()),
    path("suppressions.csv", suppressions.SuppressionFile.as_view()),
    path("suppressions/<int:pk>/", suppressions.SuppressionDetail.as_view()),
    path("webhooks/", webhooks.Webhooks.as_view()),
    path("webhooks/<int:pk>/", webhooks.WebhookDetail.as_view()),
    path("webhooks/<int:pk>/test/", webhooks.Test.as_view()),
    path("webhooks/<int:pk>/rotate/", webhooks.Rotate.as_view()),
    path("webhooks/<int:pk>/replay-failed/", webhooks.ReplayFailed.as_view()),
    path("webhooks/<int:pk>/deliveries/", webhooks.Deliveries.as_view()),
    path("webhooks/<int:pk>/deliveries/<int:delivery>/", webhooks.DeliveryDetail.as_view()),
    path("webhooks/<int:pk>/deliveries/<int:delivery>/replay/", webhooks.Replay.as_view()),
    path("schema/", SpectacularAPIView.as_view(**open_to_all), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema", **open_to_all)),
]
