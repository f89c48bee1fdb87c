from typing import Any

from django.db import migrations, models


class AddColumn(migrations.AddField):
    """SQLite adds a column with a constant default at once; Django would write the whole table again for it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        if schema_editor.connection.vendor != "sqlite":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        field = model._meta.get_field(self.name)
        definition, _ = schema_editor.column_sql(model, field)
        quote = schema_editor.quote_name
        schema_editor.execute(f"ALTER TABLE {quote(model._meta.db_table)} ADD COLUMN {quote(field.column)} {definition}")


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0004_findings"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="translations",
            field=models.ManyToManyField(blank=True, related_name="+", to="campaigns.template"),
        ),
        migrations.AddField(
            model_name="import",
            name="rowwise",
            field=models.JSONField(default=dict),
        ),
        AddColumn(
            model_name="message",
            name="due",
            field=models.BigIntegerField(db_default=0),
        ),
        AddColumn(
            model_name="message",
            name="sender_no",
            field=models.PositiveSmallIntegerField(db_default=0),
        ),
        AddColumn(
            model_name="recipient",
            name="due",
            field=models.BigIntegerField(db_default=0),
        ),
        AddColumn(
            model_name="recipient",
            name="language_no",
            field=models.PositiveSmallIntegerField(db_default=0),
        ),
        AddColumn(
            model_name="recipient",
            name="reference",
            field=models.CharField(db_default="", max_length=100),
        ),
        AddColumn(
            model_name="recipient",
            name="sender_no",
            field=models.PositiveSmallIntegerField(db_default=0),
        ),
        migrations.AddField(
            model_name="template",
            name="language",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Such as en, Hindi or ta. Rows of a file can then choose it as a translation",
                max_length=20,
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("due__gt", 0), ("state", "pending")),
                fields=["campaign", "state", "sender_no", "due", "id"],
                name="pending_messages_by_hour",
            ),
        ),
    ]
