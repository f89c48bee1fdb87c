"""Where the documents disagree: the side that captures show is played, and each losing side can be switched on.

The numbers in brackets are those of the table of disagreements that the product's reference keeps.
"""

from dataclasses import dataclass

CHOICES: dict[str, tuple[str, ...]] = {
    "code_type": ("captured", "number", "text"),
    "unsent_date": ("captured", "null", "epoch"),
    "units_name": ("SmsUnits", "SMSUnits"),
    "number_form": ("national", "international", "bare", "as_sent"),
    "throttle": ("40402", "35006", "40405"),
    "throttle_retry_after": ("absent", "seconds"),
    "unknown_sid": ("200", "404"),
    "no_balance": ("403", "402"),
    "dnd_word": ("failed-dnd", "failed_dnd"),
    "consent": ("23084", "23083"),
    "error_code": ("number", "text", "absent"),
    "untyped_sms": ("taken", "looked_up"),
    "signature": ("none", "sha1", "sha256"),
    "click_format": ("form", "json"),
    "inbound_type": ("incoming_message", "icm"),
    "whatsapp_item_code": ("202", "200"),
}
FLAGS = frozenset({"require_from", "last_to_wins", "more_info"})


@dataclass(frozen=True, slots=True)
class Readings:
    require_from: bool = False  # C18: of bulksend S001 says optional in one place and mandatory (40210) in another
    last_to_wins: bool = False  # a repeated To on send: PHP's reading, instead of all of them
    more_info: bool = False  # RestException has a MoreInfo
    error_code: str = "number"  # how RestException gives its Code
    code_type: str = "captured"  # C7: DetailedStatusCode is a number in answers and text in details
    unsent_date: str = "captured"  # C7: DateSent before sending is null in answers and the epoch in details
    units_name: str = "SmsUnits"  # C7
    number_form: str = "national"  # C7: 0 and ten digits, whatever was sent
    throttle: str = "40402"  # C8: 429, or 503 with one of the others
    throttle_retry_after: str = "absent"
    unknown_sid: str = "200"  # C9: 200 and a sentence, or 404
    no_balance: str = "403"  # C10
    dnd_word: str = "failed-dnd"  # C14
    consent: str = "23084"  # C2, C3: or 23083, then named FAILED_DLT_CONSENT
    untyped_sms: str = "taken"  # an SMS without SmsType that is no registered template: or promotional
    signature: str = "none"  # C17: X-Exotel-Signature over a callback's body, keyed with the API token
    click_format: str = "form"
    inbound_type: str = "incoming_message"
    whatsapp_item_code: str = "202"

    @property
    def captured(self) -> bool:
        """Whether messages in answers have the shape that captures show."""
        return (self.code_type, self.unsent_date, self.units_name, self.number_form) == (
            "captured", "captured", "SmsUnits", "national",
        )  # fmt: skip
