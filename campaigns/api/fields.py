"""Fields that take less for granted than the framework's."""

from typing import Any

from rest_framework.relations import PrimaryKeyRelatedField


class Key(PrimaryKeyRelatedField):
    """An id as a whole number, or as its ASCII digits: the framework takes 1.5 for 1 too, and the digits of any script."""

    default_error_messages = {"incorrect_type": "Write an id: a whole number."}

    def to_internal_value(self, data: Any) -> Any:
        number = isinstance(data, int) and not isinstance(data, bool)
        if not number and not (isinstance(data, str) and data.isascii() and data.isdigit()):
            self.fail("incorrect_type", data_type=type(data).__name__)
        return super().to_internal_value(data)
