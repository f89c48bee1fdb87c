"""What to do about each finding of the checks before launch and each reason for which a row is refused."""

REMEDIES = {
    # the recipients
    "IMPORT_RUNNING": "Wait until it is read; this page then shows what was found.",
    "NO_RECIPIENTS": "Go back to the first step and add a file, or mend the refused rows and upload them.",
    "TEMPLATE_CHANGED": "Open the step Match columns and press “Check the file again”.",
    "VARIABLE_LONG": (
        "Shorten these values in your file if you can. Some operators refuse them, and each refusal is one message that "
        "does not arrive."
    ),
    "UNICODE": (
        "Nothing needs to be done for names in Indian scripts. Where the sign is a curly quote, a long dash or ₹, write it "
        "plainly (', -, Rs) and the message takes fewer units."
    ),
    "MANY_UNITS": "Look at the longest values: a whole address or note in place of a word makes each message cost several.",
    "ROWS_REFUSED": "Download these rows, mend them and add that file to this campaign: nobody gets two messages.",
    "ROWS_SUPPRESSED": "Nothing, if they are right. Wrong ones are removed under Suppression; then check the file again.",
    "ROW_HEADER_DIFFERS": "Send under the template's header unless DLT lists these for the template too.",
    "ROWS_PAST_HOUR": "Nothing, if they may go at once; else write later hours into the file and upload it again.",
    "ROWS_BY_HOUR": "Nothing: each is sent when its hour comes. The campaign runs until the last one.",
    "ROWS_OUTSIDE_WINDOW": "Nothing, if the next opening is early enough; else write hours inside the window into the file.",
    "ROWS_RECENT": "Nothing, if that is the choice; else change it in the first step and check the file again.",
    "RECENT_CHANGED": "Open the step Match columns and press “Check the file again”.",
    "COUNTRIES_CHANGED": "Open the step Match columns and press “Check the file again”.",
    # refused rows
    "INVALID_PHONE": "Write a mobile number of ten digits beginning with 6 to 9, in a column formatted as text.",
    "MISSING_REQUIRED": "Fill the empty cell, or choose another column for it.",
    "INVALID_FORMAT": "Mend what the reason beside each row names: its cells, a value's length, its kind or its link.",
    "DUPLICATE_ENTRY": "Nothing: the person gets the message of the first row. Delete the row that you do not want.",
    "SUPPRESSED": "Nothing, if it is right. A wrong entry is removed under Suppression; then check the file again.",
    "RECENTLY_MESSAGED": "Nothing, if that is the choice; else change it in the first step and check the file again.",
    "QUOTA_EXCEEDED": "Split the list over several campaigns.",
    "INVALID_EMAIL": "Write an address such as name@example.in.",
    # the template on DLT
    "TEMPLATE_NOT_APPROVED": "Choose an approved template. If this one is approved by now, correct its status on its page.",
    "TEMPLATE_EXPIRED": "Renew it on the DLT portal and write the new end on the template's page, or start earlier.",
    "ENTITY_ID_NOT_NUMERIC": "Copy the entity id (PE id) from the DLT portal to the template.",
    "ENTITY_ID_LENGTH": "Compare it with the DLT portal: a digit may be missing.",
    "TEMPLATE_ID_NOT_NUMERIC": "Copy the template id from the DLT portal to the template.",
    "TEMPLATE_ID_LENGTH": "Compare it with the DLT portal: a digit may be missing.",
    "HEADER_AFFIX": "Write the six signs of the header alone, on the template's page.",
    "HEADER_NOT_NUMERIC": "Use the numeric header that is registered for promotion.",
    "HEADER_CATEGORY": "Compare the header with the DLT portal.",
    "HEADER_NOT_LETTERS": "Use the header of letters that is registered for service messages.",
    "HEADER_LENGTH": "Compare the header with the DLT portal.",
    "VARIABLE_MALFORMED": "Copy the text of the template from the DLT portal once more.",
    "BODY_EMPTY": "Copy the text of the template from the DLT portal.",
    "BODY_TOO_LONG": "Register a shorter text.",
    "VARIABLES_ADJACENT": "Register the text with a word between the two, or as one variable.",
    "MOSTLY_VARIABLE": "Check on the DLT portal that the text is approved as it stands.",
    "DOUBLE_SPACE": "Compare the text with the DLT portal, space by space: a difference makes operators refuse it.",
    "ANGLE_BRACKETS": "Send a test to your own number on each network first.",
    "BRACES": "Compare the text with the DLT portal.",
    "PUBLIC_SHORTENER": "Register the text with a link of your own domain, or let Exotel shorten your links.",
    # links
    "LINKS_UNCHECKED": "Write the links that you have whitelisted on the account's page; from then on they are checked.",
    "LINK_NOT_WHITELISTED": "Whitelist it on the DLT portal, then add it to the list on the account's page.",
    "NOT_SHORTENED": "Switch the shortening of links off in the first step.",
    "NO_LINK": "Switch the shortening of links off in the first step, or choose a template with a link.",
    "LINKS_SHORTENED": "Nothing, if the short links are registered; else switch the shortening off in the first step.",
    # the account
    "NO_SENDER": "Enter the header on the template's page.",
    "HEADER_DIFFERS": "Send under the template's header unless DLT lists this one for the template too.",
    "NO_CREDENTIALS": "Copy API key and token from Exotel's API settings to the account's page.",
    "ACCOUNT_STOPPED": "Mend what the reason names, then lift the stop on the account's page.",
    "RATE_HIGH": "Keep it only if Exotel has confirmed this rate to you; else set 200 on the account's page.",
    "NO_CALLBACKS": "Ask whoever runs this installation to set EXODASH_PUBLIC_URL; sending works, but no status comes back.",
    # the money
    "BALANCE": "Nothing. Write the new balance on the account's page whenever you top it up at Exotel.",
    "BALANCE_LOW": "Top the account up at Exotel and write the new balance on its page, or send to fewer people.",
    "SPEND_LIMIT": "Ask one of the people named to launch it, or an administrator to raise the limit.",
    # the time
    "START_TWICE": "Choose another hour if the other one was meant.",
    "START_PASSED": "Choose a later start, or go on to send now.",
    "WINDOW_NEVER_OPENS": "Correct the promotional hours on the account's page.",
    "OUTSIDE_WINDOW": "Nothing, if that is early enough: messages wait by themselves.",
}  # fmt: skip


def remedy(code: str) -> str:
    """What to do, in a sentence or two; empty for a code that says it itself."""
    return REMEDIES.get(code, "")
