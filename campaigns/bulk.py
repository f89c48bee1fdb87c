"""Set-based SQL that differs between SQLite and PostgreSQL, and nothing else.

Rows are plain tuples in the order of ``columns`` (field names of the model). PostgreSQL takes them by COPY or as arrays,
SQLite as bound values; both return the same answers.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from typing import Any, cast
from uuid import UUID
from zlib import crc32

from django.db import connection, models
from django.db import transaction as db_transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

Row = Sequence[Any]
SQLITE_PARAMETERS = 30_000  # below SQLITE_MAX_VARIABLE_NUMBER's default of 32,766
AT_ONCE = 64  # rows in one statement on SQLite, which keeps the last 128 prepared: each length is another one
FEW, FILLED = 100, 1_000  # values looked up at once are a multiple of one of them


@cache  # a process has one database; asked a dozen times for each request
def is_postgres() -> bool:
    return connection.vendor == "postgresql"


@receiver(connection_created)
def _compile_nothing(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Keep PostgreSQL from compiling queries: a table that has no statistics yet makes 100 looks at an index seem dear
    enough for it, and they took 80 ms instead of 1."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET jit = off")


_turn = threading.RLock()


@contextmanager
def transaction() -> Iterator[None]:
    """A transaction that writes. On SQLite the threads of this process queue for it here.

    SQLite's own waiting sleeps up to 100 ms between looks: on a busy machine four senders took 50 ms a request with it
    and 30 without.
    """
    with nullcontext() if is_postgres() else _turn, db_transaction.atomic():
        yield


def looked_at(column: str, value: str = "%s") -> str:
    """``column = value`` for rows that are found by something else: a check of each, and no way of finding them.

    Without statistics PostgreSQL holds any index for as good as the key: it read all that was pending to claim 100 by id.
    """
    return f"{column} IS NOT DISTINCT FROM {value}" if is_postgres() else f"{column} = {value}"


def marks(values: Sequence[Any]) -> str:
    """Placeholders for an IN list. Django's own takes each of 100 values through a dozen calls."""
    return ", ".join(["%s"] * len(values))


def skip_locked() -> str:
    """The locking clause for picking work. SQLite has none: its IMMEDIATE transactions already exclude each other."""
    return " FOR UPDATE SKIP LOCKED" if is_postgres() else ""


def for_update() -> str:
    return " FOR UPDATE" if is_postgres() else ""


def json_item(column: str, place: int) -> str:
    """An SQL expression for a text in a JSON list, or NULL where the list is shorter."""
    return f"{column} ->> {place}" if is_postgres() else f"json_extract({column}, '$[{place}]')"


def hold(*names: tuple[str, int], shared: bool = False) -> None:
    """Wait for locks of these names, alone or with others who share them, and keep them until the transaction ends.

    On SQLite every transaction that writes is alone already. PostgreSQL serves who waits in turn; of locks on rows, those
    who share one could keep out for ever who wants it alone.
    """
    if is_postgres():
        locks = [f"pg_advisory_xact_lock{'_shared' if shared else ''}({crc32(kind.encode()) >> 1}, %s)" for kind, _ in names]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(locks)}", [key % 2**31 for _, key in names])


def now_sql() -> str:
    """An SQL expression for now in microseconds: the database's clock where several hosts share it."""
    return "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint" if is_postgres() else str(time.time_ns() // 1000)


def insert_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Append rows; raises IntegrityError when one breaks a constraint."""
    fields = _fields(model, columns)
    names = ", ".join(f'"{field.column}"' for field in fields)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if is_postgres():
            # Django does not translate psycopg's errors of a COPY by itself.
            with connection.wrap_database_errors, cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(fields))
        values: Any = _prepared(fields, rows)  # Django takes any iterable, its stubs only sequences
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', values)


def insert_few(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Append rows in one statement, of up to 200 sooner than by COPY; raises IntegrityError when one breaks a constraint."""
    fields = _fields(model, columns)
    names = ", ".join(f'"{field.column}"' for field in fields)
    with connection.cursor() as cursor:
        for values, bound in _tables(fields, rows):
            cursor.execute(f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM {values}', bound)


def commit_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Append rows and commit them, as one statement that is its own transaction.

    A thread beside a busy one waits for the interpreter after each statement, and on SQLite each row of several was one:
    with BEGIN and COMMIT around them a quarter fewer callbacks were stored a second.
    """
    if is_postgres():
        insert_few(model, columns, rows)
    elif len(rows) <= AT_ONCE:
        with _turn:
            insert_few(model, columns, rows)
    else:
        with transaction():
            insert_rows(model, columns, rows)


def insert_new(
    model: type[models.Model], columns: Sequence[str], rows: Sequence[Row], returning: Sequence[str]
) -> list[tuple]:
    """Append the rows that break no unique constraint; the ``returning`` columns of those that went in."""
    fields = _fields(model, columns)
    names = ", ".join(f'"{field.column}"' for field in fields)
    back = ", ".join(f'"{field.column}"' for field in _fields(model, returning))
    inserted: list[tuple] = []
    with connection.cursor() as cursor:
        for values, parameters in _tables(fields, rows):
            cursor.execute(
                f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT * FROM {values} WHERE true '
                f"ON CONFLICT DO NOTHING RETURNING {back}",
                parameters,
            )
            inserted += cursor.fetchall()
    return inserted


def update_rows(
    model: type[models.Model],
    columns: Sequence[str],
    rows: Sequence[Row],
    guard: str = "true",
    parameters: Row = (),
    alike: Mapping[str, Any] | None = None,
) -> list[int]:
    """Set ``columns[1:]`` of the rows whose key ``columns[0]`` is given, where ``guard`` holds; the keys that changed.

    The guard may name the table's columns as ``t.column`` and the new values as ``v.column``. ``alike`` are columns that
    get one value in all rows, as the database stores it.
    """
    fields = _fields(model, columns)
    key, alike = fields[0].column, alike or {}
    settings = ", ".join([*(f'"{f.column}" = v."{f.column}"' for f in fields[1:]), *(f'"{name}" = %s' for name in alike)])
    names = ", ".join(f'"{field.column}"' if i else '"v_key"' for i, field in enumerate(fields))
    changed: list[int] = []
    with connection.cursor() as cursor:
        for values, bound in _tables(fields, rows, names):
            cursor.execute(
                f'UPDATE "{model._meta.db_table}" AS t SET {settings} FROM {values} '
                f'WHERE t."{key}" = v."v_key" AND ({guard}) RETURNING "{key}"',
                [*alike.values(), *bound, *parameters],
            )
            changed += [row[0] for row in cursor.fetchall()]
    return changed


def insert_one(row: models.Model) -> None:
    """Append a new row. The ORM takes five times as long to do so."""
    fields = row._meta.concrete_fields
    names = ", ".join([f'"{field.column}"' for field in fields])
    values = [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
    with connection.cursor() as cursor:
        cursor.execute(f'INSERT INTO "{row._meta.db_table}" ({names}) VALUES ({marks(values)})', values)


def update_one(model: type[models.Model], key: Any, **values: Any) -> bool:
    """Set fields of the row with this primary key; False when there is none. The ORM takes ten times as long to say so."""
    fields = _fields(model, [cast(models.Field, model._meta.pk).name, *values])
    given = zip(fields, (key, *values.values()), strict=True)
    pk, *bound = [_target(field).get_db_prep_save(value, connection) for field, value in given]
    settings = ", ".join([f'"{field.column}" = %s' for field in fields[1:]])
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE "{model._meta.db_table}" SET {settings} WHERE "{fields[0].column}" = %s', [*bound, pk])
        return bool(cursor.rowcount)


def values_table(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> tuple[str, list[Any]]:
    """``(SELECT ...) AS v`` holding the rows, to be joined; the caller keeps within SQLITE_PARAMETERS."""
    fields = _fields(model, columns)
    return next(_tables(fields, rows))


def of_values(
    model: type[models.Model],
    column: str,
    values: Sequence[int] | Sequence[str],
    select: str,
    condition: str,
    parameters: Row = (),
    grouped: str = "",
) -> list[tuple]:
    """``select`` of the rows t of a table where ``condition`` holds for one of a column's values v, which an index answers.

    Each value is looked up by itself. Left to itself PostgreSQL reads the whole table for 10,000 numbers, even with true
    statistics: 500 ms at 1,000,000 rows, where the looks take 40.
    """
    if not values:
        return []
    # Filled up with 0 or an empty text, which no row has: sqlite3 keeps the last 128 statements prepared, and each different
    # length is another one, of 2 MB.
    size = FEW if len(values) <= FEW else FILLED
    filled = [*((value,) for value in values), *[(type(values[0])(),)] * (-len(values) % size)]
    asked, bound = values_table(model, (column,), filled)
    table = model._meta.db_table
    # OFFSET 0 keeps PostgreSQL, and CROSS JOIN SQLite, from turning the two round.
    look = f"LATERAL (SELECT * FROM {table} t WHERE {condition} OFFSET 0) AS t" if is_postgres() else f"{table} t"
    rest = "" if is_postgres() else f" WHERE {condition}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {select} FROM {asked} CROSS JOIN {look}{rest} {grouped}", [*bound, *parameters])
        return cursor.fetchall()


def stored(model: type[models.Model], columns: Sequence[str], values: Row) -> list[Any]:
    """One row's values as raw SQL compares and stores them."""
    return list(next(iter(_prepared(_fields(model, columns), [values]))))


def loaded(model: type[models.Model], columns: Sequence[str], rows: Sequence[Row]) -> list[Row]:
    """Rows of a raw query with values as Python knows them; the opposite of ``stored``, a row at a time."""
    special = {} if is_postgres() or not rows else _special(_fields(model, columns))
    values: list[Sequence[Any]] = list(zip(*rows, strict=True)) if special else []
    for i, field in special.items():
        known = {value: _known(field, value) for value in set(values[i])}
        values[i] = [known[value] for value in values[i]]
    return list(zip(*values, strict=True)) if special else list(rows)


def _known(field: models.Field, value: Any) -> Any:
    if value is None:
        return None
    # A time has been read by the driver already, as one that knows no zone.
    return UUID(value) if field.get_internal_type() == "UUIDField" else value.replace(tzinfo=UTC)


def chunks(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _fields(model: type[models.Model], names: Sequence[str]) -> list[models.Field]:
    return [model._meta.get_field(name) for name in names]  # type: ignore[misc]


def _prepared(fields: Sequence[models.Field], rows: Iterable[Row]) -> Iterable[Row]:
    """Values as the backend stores them: SQLite keeps UUIDs as hex and times as naive UTC text."""
    return rows if is_postgres() or not _special(fields) else zip(*_columns(fields, rows), strict=True)


def _columns(fields: Sequence[models.Field], rows: Iterable[Row]) -> list[Sequence[Any]]:
    """The values of each field in all rows, as SQLite keeps them."""
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for i, field in _special(fields).items() if columns else ():
        # Rows of one change share their times and ids, so each value is converted once.
        stored = {value: _stored(field, value) for value in set(columns[i])}
        columns[i] = [stored[value] for value in columns[i]]
    return columns


def _special(fields: Sequence[models.Field]) -> dict[int, models.Field]:
    """Those that SQLite stores as text of its own kind, by their place."""
    targets = {i: _target(field) for i, field in enumerate(fields)}
    return {i: field for i, field in targets.items() if field.get_internal_type() in {"UUIDField", "DateTimeField"}}


def _stored(field: models.Field, value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo:
        # As Django does it, at a tenth of the time: the reports of one moment each have their own.
        return str((value if value.tzinfo is UTC else value.astimezone(UTC)).replace(tzinfo=None))
    return field.get_db_prep_value(value, connection)


def _target(field: models.Field) -> models.Field:
    return field.target_field if isinstance(field, models.ForeignKey) else field


@cache  # Django finds out what a column is in 20 us
def _arrays(fields: tuple[models.Field, ...]) -> str:
    # Without its length: a cast to varchar(11) would cut a longer word in silence instead of refusing it.
    casts = [re.sub(r"\(.*\)|varchar.*", "", field.cast_db_type(connection) or "") or "text" for field in fields]
    return ", ".join(f"%s::{cast}[]" for cast in casts)


def _array(values: Sequence[Any]) -> str:
    """An array as PostgreSQL reads one. psycopg writes the same from a list, but looks at each value several times."""
    # Most columns repeat a few values, so each is written once.
    written = {value: _ELEMENTS.get(type(value), _quoted)(value) for value in set(values)}
    return "{" + ",".join([written[value] for value in values]) + "}"


def _quoted(value: Any) -> str:
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


_ELEMENTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "NULL",
    bool: str,
    int: str,
    UUID: str,
    bytes: lambda value: f'"\\\\x{value.hex()}"',
    memoryview: lambda value: f'"\\\\x{value.hex()}"',
}


def _tables(fields: Sequence[models.Field], rows: Sequence[Row], names: str = "") -> Iterator[tuple[str, list[Any]]]:
    """Each chunk of rows as an SQL table named v, with what is to be bound."""
    names = names or ", ".join(f'"{field.column}"' for field in fields)
    if is_postgres():
        if rows:
            yield f"unnest({_arrays(tuple(fields))}) AS v({names})", [_array(column) for column in zip(*rows, strict=True)]
        return
    width = len(fields)
    aliases = ", ".join(f"column{i + 1} AS {name}" for i, name in enumerate(names.split(", ")))
    for chunk in chunks(rows, SQLITE_PARAMETERS // width):
        marks = ", ".join(["(" + ", ".join(["%s"] * width) + ")"] * len(chunk))
        bound: list[Any] = [None] * (width * len(chunk))
        for i, column in enumerate(_columns(fields, chunk)):
            bound[i::width] = column
        yield f"(SELECT {aliases} FROM (VALUES {marks})) AS v", bound
