"""The wire to Exotel: requests, answers, status reports and codes. Knows nothing of Django and never retries by itself."""

BATCH = 100  # messages a request; more are refused with 40400
