"""A local Exotel in its own process, ``python -m campaigns.exotel.simulator``: one reading of the provider, not the law.

It shares nothing with the client but the code dictionary, so that a mistake in one cannot hide in the other. A request goes

    server (HTTP) > exotel (which API, faults) > sms_api, whatsapp or geniq (shapes) > desk > ledger (on disk) > answer
    > callbacks (when due) > notices (what each says)

and everything that is left to chance is decided in ``fates`` from a seed. Where documents disagree, ``readings`` has the
switches.
"""
