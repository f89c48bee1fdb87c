"""What an answer, or its absence, means: one pure function for each API, each proved by one table of cases.

| kind          | when                                                                    | the batch's messages            |
|---------------|-------------------------------------------------------------------------|---------------------------------|
| answered      | 2xx with items of which at least one settles a message                  | accepted, rejected, unconfirmed |
| not_sent      | no byte of the request was written                                      | pending, after a pause          |
| throttled     | 429; 503 with 40405 or 35006                                            | pending, later                  |
| stop_account  | 401, 402, 403, 404, 405, 3xx: credentials, balance, permission, address | pending                         |
| stop_campaign | 400 or 403 that speaks of the campaign's set-up                         | pending                         |
| split         | another 400: one message may spoil the batch                            | pending, halved until found     |
| unknown       | anything else: timeouts, other 5xx, 408, 409, unreadable answers        | unconfirmed                     |

A code decides where one status has several meanings. One of which Exotel says that part of the request may have been
accepted (35000, 40100) makes the outcome unknown with any status.
"""

from campaigns.sending.outcomes.kinds import ItemResult, Kind, Outcome
from campaigns.sending.outcomes.refusals import retry_after

__all__ = ["ItemResult", "Kind", "Outcome", "retry_after"]
