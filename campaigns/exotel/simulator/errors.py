"""The request errors of the SMS API (documents S001 and S003), by their API code; those without a code by a word."""

ERRORS: dict[int | str, tuple[int, str]] = {  # HTTP status and message
    "authentication": (401, "Authentication is required to view this page."),
    "version": (400, "Exotel API Version {value} not supported. Contact Exotel for details."),
    "accounts": (400, "/Accounts/ missing from URL"),
    "unknown_sid": (404, "No matching results"),  # the losing side of C9; S003 says 200
    34001: (400, "Bad or missing parameters in request.;"),
    34009: (403, "Action forbidden on given resource;"),
    34010: (401, "Unauthorized;"),
    35000: (500, "Internal Server Error"),
    35006: (503, "Service Unavailable"),
    40000: (403, "Not allowed to send promotional SMS(s)."),
    40001: (403, "Insufficient balance to send {value} sms. Please recharge your account."),
    40002: (403, "Account inactive."),
    40003: (
        403,
        "Your account is not configured to send SMSes to this country. "
        "Please write to hello@exotel.com to update the setup.",
    ),
    40100: (500, "Error Processing Request"),
    40200: (400, "Message body cannot be empty."),
    40201: (400, "Invalid parameters: Messages is a mandatory field"),
    40202: (400, "Message body is invalid."),
    40203: (400, "All the destination numbers are invalid: {value}"),
    40204: (400, "Invalid parameters: SmsType is not set correctly"),
    40205: (400, "Empty From field in the request"),
    40206: (400, "Invalid parameters: From format is not matching with the SmsType"),
    40207: (400, "Array passed as Value in params. Expecting String"),
    40208: (400, "Invalid parameters: Messages has to be an array"),
    40209: (
        400,
        "Encoding type is not properly set. "
        "Please check the encoding type again before sending the request for Msg=[{value}]",
    ),
    40210: (400, "Invalid parameters: From is a mandatory field"),
    40300: (
        400,
        "No transactional template found and no numeric sender ID exists in your account for sending it as promotional",
    ),
    40301: (400, "No transactional sender ID found in your account"),
    40400: (400, "Not more than 100 SMSs are allowed in one API request."),
    40402: (429, "Too many POST requests."),
    40403: (429, "Too many GET requests."),
    40404: (429, "Please note that you can send only 10 SMS from your account during the trial phase."),
    40405: (503, "Service Unavailable"),  # what 35006 is being renumbered to
    40406: (400, "Not more than 100 SMSs are allowed in one API request."),
    40500: (400, "Invalid Parameters"),
    40501: (400, "Invalid parameters"),
    40502: (405, "This method is not supported"),
    340030: (403, "Your account is not yet KYC compliant;"),
}


class Refused(Exception):
    """The whole request is refused with one of ERRORS; ``value`` fills the blank in its message."""

    def __init__(self, key: int | str, value: object = "", retry_after: object = None) -> None:
        super().__init__(key)
        self.key, self.value, self.retry_after = key, value, retry_after
