"""Who may do what. Each role holds what the one before it holds, except the auditor, who reads all and changes nothing."""

from django.contrib.auth.models import Group, Permission

VIEW = ["view_account", "view_template", "view_campaign", "view_message", "view_import", "view_suppression"]
VIEW += ["view_alertrule", "view_audience"]
EDIT = ["add_campaign", "change_campaign", "add_template", "change_template", "add_import", "change_import"]
EDIT += ["add_suppression", "change_suppression", "delete_suppression"]
EDIT += ["add_audience", "change_audience", "delete_audience"]
LAUNCH = ["launch_campaign", "see_numbers", "export_report"]
ADMINISTER = ["add_account", "change_account", "add_apitoken", "change_apitoken", "view_apitoken"]
ADMINISTER += ["add_codenote", "change_codenote", "delete_codenote", "view_codenote"]
ADMINISTER += ["add_webhook", "change_webhook", "delete_webhook", "view_webhook"]
ADMINISTER += ["add_alertrule", "change_alertrule", "delete_alertrule"]
ADMINISTER += ["add_user", "change_user", "view_user", "view_group"]

ROLES = {
    "Viewer": VIEW,
    "Editor": VIEW + EDIT,
    "Launcher": VIEW + EDIT + LAUNCH,
    "Auditor": [*VIEW, "view_auditevent", "view_user", "view_group", "view_apitoken", "view_webhook"],
    "Administrator": [*VIEW, *EDIT, *LAUNCH, *ADMINISTER, "view_auditevent"],
}


def create_roles() -> None:
    """Make the groups, and give each exactly its permissions. Safe to run again."""
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(Permission.objects.filter(codename__in=codenames))
