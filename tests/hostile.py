"""Bodies that no callback should have, each by name. ``hostile_bodies.txt`` beside it says what becomes of each.

They name the message 0 of one request (09800000000), which is on the wire with its answer not yet stored, unless said
otherwise; so whatever is a report of it shows in its row.
"""

import gzip
import json
from pathlib import Path
from urllib.parse import urlencode

EXPECTED = Path(__file__).with_name("hostile_bodies.txt")
SID, TO = "6dfb61b0d3dcdb3ba87ea6b4ae0b1bef", "09800000000"
DELIVERED = {"SmsSid": SID, "To": TO, "Status": "sent", "DetailedStatusCode": "20005"}


def form(**changes):
    """A delivery as a form with some fields changed; None takes one out."""
    return urlencode({name: value for name, value in (DELIVERED | changes).items() if value is not None}).encode()


def raw_form(name, value):
    """With one field as it stands here, in bytes."""
    return form(**{name: None}) + b"&" + name.encode() + b"=" + value


def js(**changes):
    return json.dumps({name: value for name, value in (DELIVERED | changes).items() if value is not None}).encode()


def raw_js(name, value):
    return js(**{name: None})[:-1] + b', "' + name.encode() + b'": ' + value + b"}"


def multipart(values, boundary="--x", newline="\r\n", head='Content-Disposition: form-data; name="{}"'):
    parts = [f"{boundary}{newline}{head.format(name)}{newline}{newline}{value}{newline}" for name, value in values.items()]
    return ("".join(parts) + f"{boundary}--{newline}").encode()


BODIES = {
    # Nothing
    "empty": b"", "nul": b"\x00", "nul 16k": b"\x00" * 16_384, "space": b" ", "newlines": b"\r\n\r\n", "bom": b"\xef\xbb\xbf",
    # Forms that are none
    "percent": b"%", "percents": b"%%%", "percents 16k": b"%" * 16_384, "bad escape": b"%zz=%", "escaped nul": b"%00=%00",
    "equals": b"=", "equals and": b"=&=&=", "ands 16k": b"&" * 16_384, "equals 16k": b"=" * 16_384, "plus 16k": b"+" * 16_384,
    "names only": b"a&" * 8_192, "no known field": b"hello=world&a=b", "all bytes": bytes(range(256)) * 64,
    "1500 fields": b"&".join(b"f%d=%d" % (i, i) for i in range(1_500)), "cookie": b"Status%3Dsent",
    # Statuses
    "whole": form(), "no status": form(Status=None), "no code": form(DetailedStatusCode=None),
    "status only": b"Status=sent", "status empty": b"Status=", "status bare": b"Status", "code only": b"DetailedStatusCode=20005",
    "status blank": form(Status=" ", DetailedStatusCode=None), "status unknown": form(Status="telepathy", DetailedStatusCode=None),
    "status long": form(Status="s" * 4_000, DetailedStatusCode=None), "status upper": form(Status="SENT", DetailedStatusCode=None),
    "status underscore": form(Status="failed_dnd", DetailedStatusCode="23005"), "status hindi": form(Status="प्रेषित", DetailedStatusCode=None),
    "status nul inside": raw_form("Status", b"se\x00nt"), "status escaped nul": raw_form("Status", b"se%00nt"),
    "status only nul": raw_form("Status", b"%00%00"), "status latin-1": raw_form("Status", "sént".encode("latin-1")),
    "status escaped bad utf-8": raw_form("Status", b"%ff%fe"), "status surrogate": raw_form("Status", b"\xed\xa0\x80"),
    "status escaped surrogate": raw_form("Status", b"%ed%a0%80"), "status overlong": raw_form("Status", b"%c0%80sent"),
    "status rtl": form(Status="\u202esent\u202c", DetailedStatusCode=None), "status zero width": form(Status="se\u200bnt", DetailedStatusCode=None),
    "status wide": form(Status="ｓｅｎｔ", DetailedStatusCode=None), "status combining": form(Status="se\u0301nt" * 20, DetailedStatusCode=None),
    "status emoji": form(Status="👍🏽", DetailedStatusCode=None), "status sql": form(Status="';DROP TABLE callbacks_callbackevent;--", DetailedStatusCode=None),
    "status html": form(Status="<script>alert(1)</script>", DetailedStatusCode=None), "status format": form(Status="{{7*7}}%s{0}", DetailedStatusCode=None),
    "status tab": raw_form("Status", b"%09sent%0a"), "status half a character cut": form(Status="é" * 511, DetailedStatusCode=None),
    "status private use": form(Status="\ue000\U0010ffff", DetailedStatusCode=None), "status line separator": form(Status="sent\u2028", DetailedStatusCode=None),
    # Codes
    "code failed": form(Status="failed", DetailedStatusCode="23050"), "code contradicts word": form(Status="failed"),
    "code contradicts delivered": form(Status="delivered", DetailedStatusCode="23050"),
    "code 40 digits": form(Status="failed", DetailedStatusCode="9" * 40), "code 16000 digits": form(Status="failed", DetailedStatusCode="9" * 15_000),
    "code 33 digits": form(Status="failed", DetailedStatusCode="1" * 33), "code negative": form(Status="failed", DetailedStatusCode="-1"),
    "code zero": form(Status="failed", DetailedStatusCode="0"), "code zeros before": form(DetailedStatusCode="0020005"),
    "code float": form(DetailedStatusCode="20005.0"), "code exponent": form(DetailedStatusCode="2.0005e4"),
    "code infinite": form(Status="failed", DetailedStatusCode="1e400"), "code nan": form(Status="failed", DetailedStatusCode="NaN"),
    "code hex": form(DetailedStatusCode="0x4e25"), "code plus": raw_form("DetailedStatusCode", b"%2B20005"), "code spaced": form(DetailedStatusCode=" 20005 "),
    "code arabic": form(DetailedStatusCode="٢٠٠٠٥"), "code devanagari": form(DetailedStatusCode="२०००५"), "code wide": form(DetailedStatusCode="２０００５"),
    "code superscript": form(Status="failed", DetailedStatusCode="²³"), "code words": form(Status="failed", DetailedStatusCode="x-y-z"),
    "code nul": raw_form("DetailedStatusCode", b"200%0005"), "code of a word": form(DetailedStatusCode="DELIVERED_TO_HANDSET"),
    "code ambiguous, named": form(Status="failed", DetailedStatusCode="23083", DetailedStatus="FAILED_DUE_TO_NETWORK_ERROR"),
    "name only": form(Status=None, DetailedStatusCode=None, DetailedStatus="DELIVERED_TO_HANDSET"), "name long": form(DetailedStatus="N" * 500),
    # Numbers
    "to missing": form(To=None), "to empty": form(To=""), "to another": form(To="09811111111"), "to plain": form(To="9800000000"),
    "to plus": form(To="+919800000000"), "to spaced": form(To="+91 98000-00000"), "to 00": form(To="00919800000000"), "to short": form(To="00000000"),
    "to long": form(To="9" * 15_000), "to 40 zeros": form(To="0" * 30 + "9800000000"), "to nul": raw_form("To", b"0980%000000000"),
    "to arabic": form(To="٠٩٨٠٠٠٠٠٠٠٠"), "to wide": form(To="０９８００００００００"), "to words": form(To="nobody"), "to negative": form(To="-9800000000"),
    "to float": form(To="9800000000.0"), "to exponent": form(To="9.8e9"), "to sql": form(To="' OR 1=1 --"), "to two": form(To="09800000000,09800000001"),
    "to second of the request": form(To="09800000001"), "to letters inside": form(To="0980000000O"),
    # Sids
    "sid missing": form(SmsSid=None), "sid empty": form(SmsSid=""), "sid blank": form(SmsSid="   "), "sid 64": form(SmsSid="x" * 64), "sid 65": form(SmsSid="x" * 65),
    "sid 15000": form(SmsSid="x" * 15_000), "sid nul": raw_form("SmsSid", b"a%00b"), "sid only nul": raw_form("SmsSid", b"%00"),
    "sid bad utf-8": raw_form("SmsSid", b"%ff"), "sid hindi": form(SmsSid="संदेश"), "sid emoji 64": form(SmsSid="👍" * 64), "sid sql": form(SmsSid='";--'),
    "sid newline": form(SmsSid="a\nb"), "sid as Sid": form(SmsSid=None, Sid=SID), "sid both": form(Sid="another"),
    "sid decomposed": form(SmsSid="e\u0301"), "sid null word": form(SmsSid="null"),
    # Dates
    "date": form(DateSent="2026-11-21 10:00:00"), "date empty": form(DateSent=""), "date none": form(DateSent="null"), "date epoch": form(DateSent="1970-01-01 05:30:00"),
    "date zeros": form(DateSent="0000-00-00 00:00:00"), "date year 1": form(DateSent="0001-01-01 00:00:00"), "date year 9999": form(DateSent="9999-12-31 23:59:59"),
    "date month 99": form(DateSent="9999-99-99"), "date feb 30": form(DateSent="2026-02-30 00:00:00"), "date leap second": form(DateSent="2026-06-30 23:59:60"),
    "date second 61": form(DateSent="2026-06-30 23:59:61"), "date epoch ms": form(DateSent="1795150800000"), "date epoch s": form(DateSent="1795150800"),
    "date float": form(DateSent="1795150800.5"), "date iso": form(DateSent="2026-11-21T10:00:00+05:30"), "date iso z": form(DateSent="2026-11-21T04:30:00Z"),
    "date american": form(DateSent="11/21/2026 10:00:00 AM"), "date rfc": form(DateSent="Sat, 21 Nov 2026 10:00:00 +0530"), "date saka": form(DateSent="1948-08-30 10:00:00"),
    "date buddhist": form(DateSent="2569-11-21 10:00:00"), "date hijri": form(DateSent="1448-06-11 10:00:00"), "date jalali": form(DateSent="1405-08-30 10:00:00"),
    "date devanagari": form(DateSent="२०२६-११-२१ १०:००:००"), "date week": form(DateSent="2026-W47-6"), "date ordinal": form(DateSent="2026-325"),
    "date short parts": form(DateSent="2026-1-2 3:4:5"), "date five digits": form(DateSent="20261-11-21 10:00:00"), "date negative": form(DateSent="-2026-11-21 10:00:00"),
    "date microseconds": form(DateSent="2026-11-21 10:00:00.123456"), "date spaced": form(DateSent="  2026-11-21   10:00:00  "), "date words": form(DateSent="yesterday"),
    "date long": form(DateSent="2026-11-21 10:00:00" * 100), "date nul": raw_form("DateSent", b"2026-11-21%00 10:00:00"),
    # Units
    "units 3": form(SmsUnits="3"), "units 0": form(SmsUnits="0"), "units negative": form(SmsUnits="-1"), "units 100": form(SmsUnits="100"), "units 101": form(SmsUnits="101"),
    "units huge": form(SmsUnits="9" * 30), "units float": form(SmsUnits="2.0"), "units exponent": form(SmsUnits="1e1"), "units words": form(SmsUnits="two"),
    "units arabic": form(SmsUnits="٣"), "units zeros before": form(SmsUnits="003"), "units superscript": form(SmsUnits="³"),
    # Fields
    "repeated status": b"Status=failed&" + form(DetailedStatusCode=None), "repeated code": b"DetailedStatusCode=23050&" + form(), "repeated to": form() + b"&To=09811111111",
    "repeated 1000 times": b"Status=sent&" * 1_000 + form(), "lower names": form().lower(), "upper names": form().upper(), "spelled apart": b"Sms+Sid=" + SID.encode() + b"&to=" + TO.encode() + b"&sta_tus=sent",
    "names with nul": form().replace(b"Status", b"Sta%00tus"), "long names": b"n" * 4_000 + b"=1&" + form(), "semicolons": form().replace(b"&", b";"),
    "after 40 others": b"&".join(b"f%d=%d" % (i, i) for i in range(40)) + b"&" + form(), "after 20 others": b"&".join(b"f%d=%d" % (i, i) for i in range(20)) + b"&" + form(),
    "array names": form().replace(b"=", b"[]="), "unknown besides": form(Price="0.15", Hello="x" * 5_000), "custom field bytes": raw_form("CustomField", b"%ff%00%ed%a0%80"),
    "encoded names": form().replace(b"Status=", b"%53tatus="), "surrounded": b"\r\n\t " + form() + b"\r\n\x00", "bom before": b"\xef\xbb\xbf" + form(),
    "utf-16": form().decode().encode("utf-16"), "utf-32": form().decode().encode("utf-32"), "utf-7": b"Status=+AHM-ent&To=" + TO.encode(), "ebcdic": form().decode().encode("cp500"),
    "gzip": gzip.compress(form(), mtime=0), "gzip head": b"\x1f\x8b\x08" + b"\x00" * 100, "zip head": b"PK\x03\x04" + b"\x00" * 100, "base64": b"U3RhdHVzPXNlbnQ=",
    # JSON
    "json": js(), "json code number": raw_js("DetailedStatusCode", b"20005"), "json code float": raw_js("DetailedStatusCode", b"20005.0"),
    "json code exponent": raw_js("DetailedStatusCode", b"2e4"), "json code 40 digits": raw_js("DetailedStatusCode", b"9" * 40), "json code 15000 digits": raw_js("DetailedStatusCode", b"9" * 15_000),
    "json code negative": raw_js("DetailedStatusCode", b"-20005"), "json code nan": raw_js("DetailedStatusCode", b"NaN"), "json code infinity": raw_js("DetailedStatusCode", b"-Infinity"),
    "json code true": raw_js("DetailedStatusCode", b"true"), "json code null": raw_js("DetailedStatusCode", b"null"), "json code list": raw_js("DetailedStatusCode", b"[20005]"),
    "json to number": raw_js("To", b"9800000000"), "json to negative": raw_js("To", b"-9800000000"), "json to float": raw_js("To", b"9.8e9"), "json sid number": raw_js("SmsSid", b"12345"),
    "json sid long number": raw_js("SmsSid", b"1" * 70), "json units number": raw_js("SmsUnits", b"2"), "json units float": raw_js("SmsUnits", b"2.5"), "json date number": raw_js("DateSent", b"1795150800000"),
    "json status surrogate": raw_js("Status", b'"se\\ud800nt"'), "json status nul": raw_js("Status", b'"se\\u0000nt"'), "json status pair": raw_js("Status", b'"\\ud83d\\ude00"'),
    "json surrogate name": js()[:-1] + b', "\\ud800": "x"}', "json sid surrogate": raw_js("SmsSid", b'"\\udfff"'), "json to surrogate": raw_js("To", b'"0980000\\ud8000000"'),
    "json duplicate status": b'{"Status": "failed", ' + js(DetailedStatusCode=None)[1:], "json duplicate code": b'{"DetailedStatusCode": "23050", ' + js()[1:],
    "json array": b"[" + js() + b"]", "json array of two": b"[" + js() + b"," + js(To="09800000001", SmsSid="b") + b"]", "json array of none": b"[]", "json object of none": b"{}", "json null": b"null",
    "json number": b"0", "json text": b'"x"', "json true": b"true", "json wrapped": b'{"SMSMessage": ' + js() + b"}", "json wrapped null": b'{"SMSMessage": null}', "json wrapped list": b'{"SMSMessage": [1]}',
    "json wrapped twice": b'{"SMSMessage": {"SMSMessage": ' + js() + b"}}", "json second first": b"[1, " + js() + b"]", "json nested arrays": b"[[" + js() + b"]]",
    "json cut": js()[:-1], "json trailing comma": js()[:-1] + b",}", "json single quotes": js().replace(b'"', b"'"), "json trailing": js() + b" x", "json two": js() + js(),
    "json comments": b"/* x */" + js(), "json bom": b"\xef\xbb\xbf" + js(), "json utf-16": js().decode().encode("utf-16"), "json latin-1": raw_js("Status", '"sént"'.encode("latin-1")),
    "json control": raw_js("Status", b'"se\nnt"'), "json deep list": b"[" * 16_384, "json deep list closed": b"[" * 8_000 + b"]" * 8_000, "json deep object": b'{"a":' * 3_200,
    "json deep inside": raw_js("X", b"[" * 5_000 + b"]" * 5_000), "json status object": raw_js("Status", b'{"a": 1}'), "json status list": raw_js("Status", b'["sent"]'),
    "json 2000 fields": json.dumps({f"f{i}": i for i in range(1_000)} | DELIVERED).encode(), "json long text": js(Status="s" * 12_000, DetailedStatusCode=None),
    "json empty name": js()[:-1] + b', "": "x"}', "json proto": js()[:-1] + b', "__proto__": {"Status": "failed"}}', "json escaped names": js().replace(b'"Status"', b'"\\u0053tatus"'),
    # Multipart and others
    "multipart": multipart(DELIVERED), "multipart lf": multipart(DELIVERED, newline="\n"), "multipart cr": multipart(DELIVERED, newline="\r"), "multipart unquoted": multipart(DELIVERED, head="Content-Disposition: form-data; name={}"),
    "multipart file": multipart(DELIVERED, head='Content-Disposition: form-data; name="{}"; filename="a.txt"'), "multipart upper": multipart(DELIVERED, head='CONTENT-DISPOSITION: FORM-DATA; NAME="{}"'),
    "multipart cut": multipart(DELIVERED)[:150], "multipart long boundary": multipart(DELIVERED, boundary="--" + "x" * 1_000), "multipart nothing": b"--x--", "multipart dashes": b"--",
    "multipart dashes 16k": b"-" * 16_384, "multipart no head": b"--x\r\n\r\nsent\r\n--x--", "multipart 200 parts": multipart({f"f{i}": i for i in range(200)}), "multipart names 1000": b'--x\r\nname="' * 1_000,
    "multipart nul": multipart(DELIVERED | {"Status": "se\x00nt"}), "multipart empty boundary": multipart(DELIVERED, boundary="--"),
    "xml": b"<SMSMessage><Status>sent</Status></SMSMessage>", "xml entity": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "html": b"<html><body>502 Bad Gateway</body></html>",
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "yaml": b"Status: sent\nTo: 09800000000\n", "csv": b"Status,To\nsent,09800000000\n", "text": b"OK",
    # Of other products
    "whatsapp nothing": b'{"whatsapp": null}', "whatsapp list": b'{"whatsapp": []}', "whatsapp messages null": b'{"whatsapp": {"messages": null}}', "whatsapp messages text": b'{"whatsapp": {"messages": "x"}}',
    "whatsapp item null": b'{"whatsapp": {"messages": [null, 1, "x", []]}}', "whatsapp broken": b'{"whatsapp": {"messages": [', "whatsapp in a form": b"x=%22whatsapp%22&" + form(), "whatsapp quoted in a form": b'x="whatsapp"&' + form(),
    "whatsapp dlr": json.dumps({"whatsapp": {"messages": [{"callback_type": "dlr", "sid": SID, "to": "+919800000000", "exo_status_code": 30002, "exo_detailed_status": "EX_MESSAGE_DELIVERED"}]}}).encode(),
    "whatsapp dlr bare": b'{"whatsapp": {"messages": [{"callback_type": "dlr"}]}}', "whatsapp 1000 items": b'{"whatsapp": {"messages": [' + b"{}," * 1_000 + b"{}]}}",
    "whatsapp dlr odd": json.dumps({"whatsapp": {"messages": [{"callback_type": "dlr", "sid": ["x"], "to": {"a": 1}, "exo_status_code": "9" * 40, "timestamp": 10**20}]}}).encode(),
    "geniq": json.dumps({"messageId": SID, "status": "undeliverable", "reasonCode": "5", "recipient": "919800000000"}).encode(), "geniq bare": b"messageId=", "geniq odd": b'{"messageId": "\\ud800", "status": "\\u0000", "reasonCode": "' + b"9" * 500 + b'"}',
    "click": b"short_url=https%3A%2F%2Fx.in%2Fa&clicked_at=now", "inbound": b"From=09800000000&Body=STOP&SmsSid=x",
}  # fmt: skip


def expected():
    """What becomes of each, by name: result, reason, and the message's row and event where it is a report of it."""
    lines = EXPECTED.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" | ", 1) for line in lines if line and not line.startswith("#"))
