"""How the database runs a query: whether by an index, or by reading everything."""

from django.db import connection

from campaigns import bulk


def plan_of(sql):
    """In the database's own words, as it would run it now."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'' if bulk.is_postgres() else 'QUERY PLAN '}{sql}")
        return " ".join(str(row) for row in cursor.fetchall())
