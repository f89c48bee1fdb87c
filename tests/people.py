"""People of the tests, logged in to the console."""

from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns.roles import create_roles


def as_role(role):
    """A client of somebody with one role, or with none of that name."""
    create_roles()
    user, _ = User.objects.get_or_create(username=f"somebody-{role}")
    user.groups.set(Group.objects.filter(name=role))
    client = Client()
    client.force_login(user)
    return client
