"""The console: Django's admin for login, permissions, lists and history, with the operator's own pages in the same shell."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import path

from campaigns.admin import menu, shell
from campaigns.admin.audiences.routes import ROUTES
from campaigns.admin.drafts import columns, file, launch, message, review
from campaigns.admin.pages import (
    alert_register,
    campaign,
    campaign_list,
    code_dictionary,
    dashboard,
    downloads,
    message_list,
    resend,
    retry,
    rows,
    steer,
    template_versions,
    unconfirmed,
)
from campaigns.admin.registers import accounts, alert_rules, code_notes, people, suppression, templates, tokens, trail
from campaigns.admin.webhooks import deeds, pages
from campaigns.models import Account, AlertRule, ApiToken, AuditEvent, CodeNote, Suppression, Template

PAGES = [
    ("campaigns/", campaign_list.campaign_list, "campaigns"),
    ("campaigns/new/", file.new, "draft_new"),
    ("campaigns/new/template/", file.template_body, "draft_template"),
    ("campaigns/<int:pk>/", campaign.page, "campaign"),
    ("campaigns/<int:pk>/live/", campaign.live, "campaign_live"),
    ("campaigns/<int:pk>/messages/", campaign.message_rows, "campaign_messages"),
    ("campaigns/<int:pk>/requests/", campaign.attempt_rows, "campaign_attempts"),
    ("campaigns/<int:pk>/report.csv", downloads.report, "campaign_report"),
    ("campaigns/<int:pk>/file/", file.change, "draft_file"),
    ("campaigns/<int:pk>/columns/", columns.columns, "draft_columns"),
    ("campaigns/<int:pk>/columns/remove/", columns.remove, "draft_remove_file"),
    ("campaigns/<int:pk>/columns/preview/", columns.columns_preview, "draft_columns_preview"),
    ("campaigns/<int:pk>/columns/state/", columns.file_state, "draft_file_state"),
    ("campaigns/<int:pk>/message/", message.message, "draft_message"),
    ("campaigns/<int:pk>/review/", review.review, "draft_review"),
    ("campaigns/<int:pk>/launch/", launch.launch_step, "draft_launch"),
    ("campaigns/<int:pk>/rows/", rows.rows, "campaign_rows"),
    ("campaigns/<int:pk>/rows.csv", rows.rows_file, "campaign_rows_file"),
    ("campaigns/<int:pk>/retry-failed/", retry.retry_failed, "campaign_retry"),
    ("campaigns/<int:pk>/<slug:verb>/", steer.steer, "campaign_steer"),
    ("files/<int:pk>/refused-rows.csv", downloads.refused_rows, "import_errors"),
    *ROUTES,
    ("messages/", message_list.search, "messages"),
    ("messages/<int:pk>/", message_list.message, "message"),
    ("unconfirmed/", unconfirmed.page, "unconfirmed"),
    ("unconfirmed/resend/", resend.decide, "unconfirmed_resend"),
    ("alerts/", alert_register.page, "alerts"),
    ("alerts/<int:pk>/acknowledge/", alert_register.acknowledge, "alert_acknowledge"),
    ("webhooks/", pages.index, "webhooks"),
    ("webhooks/new/", deeds.new, "webhook_new"),
    ("webhooks/<int:pk>/", pages.page, "webhook"),
    ("webhooks/<int:pk>/log/", pages.log, "webhook_log"),
    ("webhooks/<int:pk>/edit/", deeds.edit, "webhook_edit"),
    ("webhooks/<int:pk>/secret/", deeds.secret, "webhook_secret"),
    ("webhooks/<int:pk>/test/", deeds.test, "webhook_test"),
    ("webhooks/<int:pk>/replay-failed/", deeds.replay_failed, "webhook_replay_failed"),
    ("webhooks/<int:pk>/delete/", deeds.delete, "webhook_delete"),
    ("webhooks/deliveries/<int:pk>/", pages.delivery, "webhook_delivery"),
    ("webhooks/deliveries/<int:pk>/replay/", deeds.replay, "webhook_replay"),
    ("alert-rules/<int:pk>/test/", alert_rules.test_mail, "alert_rule_test"),
    ("codes/", code_dictionary.code_dictionary, "codes"),
    ("codes/note/", code_dictionary.note, "code_note"),
    ("templates/measure/", templates.measure, "template_measure"),
    ("templates/<int:pk>/versions/", template_versions.page, "template_versions"),
]


class ConsoleSite(AdminSite):
    site_title = site_header = "Exodash"
    login_form = AuthenticationForm
    enable_nav_sidebar = False
    final_catch_all_view = False  # the console stands at the root: /api/ and unknown paths are not ours to answer
    empty_value_display = "–"

    def __init__(self) -> None:
        super().__init__()
        self.offered: list[tuple[str, shell.View, str]] = []

    def offer(self, pages: Iterable[tuple[str, shell.View, str]], entries: Iterable[tuple[str, menu.Entry]]) -> None:
        """Take in another room's pages and menu entries, each under the name of its group. Before the addresses are read."""
        self.offered += pages
        menu.extend(entries)

    def has_permission(self, request: HttpRequest) -> bool:
        """Whoever may log in; what they see is up to their role."""
        return request.user.is_active

    def get_urls(self) -> list[Any]:
        pages = [path(route, self.admin_view(view), name=name) for route, view, name in [*PAGES, *self.offered]]
        return [*pages, *super().get_urls()]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return dashboard.dashboard(request)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        return redirect("admin:index")


site = ConsoleSite()
for model, register in (
    (Template, templates.Templates),
    (Suppression, suppression.Suppressions),
    (Account, accounts.Accounts),
    (AlertRule, alert_rules.AlertRules),
    (CodeNote, code_notes.CodeNotes),
    (User, people.Users),
    (Group, people.Roles),
    (ApiToken, tokens.Tokens),
    (AuditEvent, trail.Trail),
):
    site.register(model, register)
